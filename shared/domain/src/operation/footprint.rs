//! Footprints: the rows that an operation reads and locks before it decides.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::AuditId;
use crate::conversation::DistinctKey;
use crate::id::{ConversationId, MessageId, ProfileId};
use crate::limits::PART_ENTRIES;
use crate::mailbox::Msgbox;
use crate::message::{Envelope, Holders};
use crate::segment::JobId;

/// Rows to be locked and read, in lock order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// True to lock the app, for changes of its settings and messages to everyone.
    pub app: bool,
    /// True to count the app's live bulk messages.
    pub live_bulk: bool,
    /// Messages, each with the holders whose mailboxes and entries of it are needed.
    pub messages: BTreeMap<MessageId, Holders>,
    /// Groups of those messages of which all holders are needed, too, if a group has
    /// [`PART_ENTRIES`] holders at the most.
    pub groups: Vec<BTreeSet<MessageId>>,
    /// Conversations, each with the mailboxes of its participants.
    pub conversations: BTreeSet<ConversationId>,
    /// Ids of conversations that are looked up, and not locked.
    pub chosen_ids: BTreeSet<ConversationId>,
    /// Keys of distinct conversations that are looked up, and not locked: the mailboxes of their
    /// participants are of the footprint.
    pub distinct_keys: BTreeSet<DistinctKey>,
    /// Profile that must have sent the messages or hold them, and be a participant of the
    /// conversations; none: it does not matter. Others would lock rows that are not theirs to wait
    /// for: for them the messages and conversations do not exist.
    pub claimant: Option<ProfileId>,
    /// Expired messages to be forgotten, each with the mailbox of its sender.
    pub expired: BTreeSet<MessageId>,
    /// Send jobs, besides those of the messages.
    pub jobs: BTreeSet<JobId>,
    /// Mailboxes; missing ones are created. Those of [`Self::sends`] come in addition.
    pub mailboxes: BTreeSet<ProfileId>,
    /// Blocks, each by the owner of its mailbox, which is of the footprint, and the blocked profile.
    pub blocks: Vec<(ProfileId, ProfileId)>,
    /// Sends of users, each from a mailbox of the footprint. Missing mailboxes of recipients are
    /// created if the policy permits it.
    pub sends: Vec<UserSend>,
    /// Maximum number of entries that become unread in one inbox.
    pub new_unread: usize,
    /// Entries of those mailboxes.
    pub entries: Vec<EntryRange>,
}

/// Send of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSend {
    /// Profile that sends.
    pub sender: ProfileId,
    /// Distinct recipients.
    pub to: Vec<ProfileId>,
}

/// Entries of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryRange {
    /// Entries of the named messages in a box.
    Named(ProfileId, Msgbox, Vec<MessageId>),
    /// The oldest entries of a box, [`PART_ENTRIES`] at the most, of those that were created up to
    /// a number.
    Part(ProfileId, Msgbox, i64),
    /// The oldest entries of a box, as many as must go to make room for one more.
    Overflow(ProfileId, Msgbox),
}

impl Footprint {
    /// Footprint of a change of the app itself.
    pub(super) fn of_app() -> Self {
        Self {
            app: true,
            ..Self::default()
        }
    }

    /// Adds the footprint of another operation of the same app, whose claim was checked.
    pub fn merge(&mut self, other: Self) {
        self.app |= other.app;
        self.live_bulk |= other.live_bulk;
        for (message_id, holders) in other.messages {
            let merged = self.messages.entry(message_id).or_insert(holders);
            *merged = holders.max(*merged);
        }
        self.groups.extend(other.groups);
        self.conversations.extend(other.conversations);
        self.chosen_ids.extend(other.chosen_ids);
        self.distinct_keys.extend(other.distinct_keys);
        self.expired.extend(other.expired);
        self.jobs.extend(other.jobs);
        self.mailboxes.extend(other.mailboxes);
        self.blocks.extend(other.blocks);
        self.sends.extend(other.sends);
        self.new_unread += other.new_unread;
        self.entries.extend(other.entries);
    }

    /// Owners of all mailboxes but those of the holders of messages; some come more than once.
    pub fn owners(&self) -> impl Iterator<Item = &ProfileId> {
        let recipients = self.sends.iter().flat_map(|send| &send.to);
        self.mailboxes.iter().chain(recipients)
    }

    /// Ids of all messages, jobs and mailboxes.
    pub(super) fn ids(self) -> Vec<AuditId> {
        let owners: BTreeSet<ProfileId> = self.owners().cloned().collect();
        let messages = self.messages.into_keys().map(AuditId::Message);
        let jobs = self.jobs.into_iter().map(AuditId::Job);
        let owners = owners.into_iter().map(AuditId::Profile);
        messages.chain(jobs).chain(owners).collect()
    }

    /// Drops the messages and conversations to which the claimant has no claim.
    pub fn retain_claimed(
        &mut self,
        is_claimed: impl Fn(&ProfileId, MessageId) -> bool,
        is_participant: impl Fn(&ProfileId, ConversationId) -> bool,
    ) {
        if let Some(claimant) = self.claimant.take() {
            self.conversations
                .retain(|conversation_id| is_participant(&claimant, *conversation_id));
            let messages = &mut self.messages;
            messages.retain(|message_id, _| is_claimed(&claimant, *message_id));
            for group in &mut self.groups {
                group.retain(|message_id| self.messages.contains_key(message_id));
            }
        }
    }

    /// Adds the holders of the groups that have few, by their messages.
    pub(crate) fn add_few_holders<'a>(
        &mut self,
        message: impl Fn(MessageId) -> Option<&'a Envelope>,
    ) {
        for group in &self.groups {
            let messages = group.iter().filter_map(|message_id| message(*message_id));
            let holders = messages.flat_map(Envelope::holders).take(PART_ENTRIES + 1);
            if holders.count() <= PART_ENTRIES {
                let holders = group.iter().map(|message_id| (*message_id, Holders::All));
                self.messages.extend(holders);
            }
        }
    }

    /// Footprint of one mailbox and some of its entries.
    pub(super) fn of_owner(owner: &ProfileId, entries: EntryRange) -> Self {
        Self {
            mailboxes: BTreeSet::from([owner.clone()]),
            entries: vec![entries],
            ..Self::default()
        }
    }

    /// Messages of the caller with all holders, and the caller's mailbox with its entries of them:
    /// the holders of a message to everyone are not listed in it.
    pub(super) fn of_messages_and(owner: &ProfileId, messages: &[MessageId]) -> Self {
        let own = EntryRange::Named(owner.clone(), Msgbox::Inbox, messages.to_vec());
        Self {
            claimant: Some(owner.clone()),
            mailboxes: BTreeSet::from([owner.clone()]),
            entries: vec![own],
            ..Self::of_messages(messages.iter().copied(), Holders::All)
        }
    }

    /// Footprint of one job.
    pub(super) fn of_job(job_id: JobId) -> Self {
        Self {
            jobs: BTreeSet::from([job_id]),
            ..Self::default()
        }
    }

    /// Messages, and some of their holders.
    pub(crate) fn of_messages(
        messages: impl IntoIterator<Item = MessageId>,
        holders: Holders,
    ) -> Self {
        Self {
            messages: messages.into_iter().map(|id| (id, holders)).collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conversation_id, profile, sent_at};

    #[test]
    fn a_merged_footprint_covers_all_of_its_parts() {
        let (ann, bob) = (profile("ann"), profile("bob"));
        let part = EntryRange::Part(bob.clone(), Msgbox::Inbox, 9);
        let named = EntryRange::Named(ann.clone(), Msgbox::Sent, vec![sent_at(1)]);
        let mut footprint = Footprint::of_owner(&bob, part.clone());
        footprint.merge(Footprint::of_owner(&ann, named.clone()));
        footprint.merge(Footprint::of_messages(
            [sent_at(2), sent_at(3)],
            Holders::Sender,
        ));
        footprint.merge(Footprint {
            app: true,
            new_unread: 3,
            ..Footprint::default()
        });
        footprint.merge(Footprint::of_messages([sent_at(2)], Holders::All));
        footprint.merge(Footprint::of_messages([sent_at(3)], Holders::None));
        footprint.merge(Footprint::of_job(JobId::NONE));
        let send = UserSend {
            sender: ann.clone(),
            to: vec![bob.clone()],
        };
        let (one, other) = (conversation_id(1), conversation_id(2));
        let key = DistinctKey([7; 16]);
        footprint.merge(Footprint::of_conversation(&ann, one));
        footprint.merge(Footprint {
            chosen_ids: BTreeSet::from([other]),
            distinct_keys: BTreeSet::from([key]),
            ..Footprint::default()
        });
        footprint.merge(Footprint::of_block(&ann, &bob));
        footprint.merge(Footprint {
            expired: BTreeSet::from([sent_at(4)]),
            ..Footprint::default()
        });
        footprint.merge(Footprint {
            sends: vec![send.clone()],
            new_unread: 2,
            ..Footprint::default()
        });
        let expected = Footprint {
            app: true,
            live_bulk: false,
            messages: BTreeMap::from([(sent_at(2), Holders::All), (sent_at(3), Holders::Sender)]),
            groups: Vec::new(),
            conversations: BTreeSet::from([one]),
            chosen_ids: BTreeSet::from([other]),
            distinct_keys: BTreeSet::from([key]),
            claimant: None,
            expired: BTreeSet::from([sent_at(4)]),
            jobs: BTreeSet::from([JobId::NONE]),
            mailboxes: BTreeSet::from([ann.clone(), bob.clone()]),
            blocks: vec![(ann.clone(), bob.clone())],
            sends: vec![send],
            new_unread: 5,
            entries: vec![part, named],
        };
        assert_eq!(footprint, expected);
    }

    #[test]
    fn a_claim_keeps_the_messages_of_its_claimant() {
        let ann = profile("ann");
        let mut footprint = Footprint::of_messages_and(&ann, &[sent_at(1), sent_at(2)]);
        let is_of_ann = |claimant: &ProfileId, id| *claimant == ann && id == sent_at(2);
        footprint.retain_claimed(is_of_ann, |_, _| false);
        let messages = BTreeMap::from([(sent_at(2), Holders::All)]);
        assert_eq!((footprint.messages, footprint.claimant), (messages, None));
        let mut footprint = Footprint::of_messages([sent_at(1)], Holders::All);
        footprint.retain_claimed(|_, _| false, |_, _| false);
        assert_eq!(footprint.messages.len(), 1);
        for is_participant in [true, false] {
            let mut footprint = Footprint::of_conversation(&ann, conversation_id(1));
            footprint.retain_claimed(|_, _| false, |_, _| is_participant);
            assert_eq!(!footprint.conversations.is_empty(), is_participant);
        }
    }
}
