//! Footprints: the rows that an operation reads and locks before it decides.

use std::collections::BTreeSet;

use crate::id::{MessageId, ProfileId};
use crate::mailbox::Msgbox;
use crate::segment::JobId;

/// Rows to be locked and read, in lock order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// The app itself, to change its settings or to send to everyone.
    pub app: bool,
    /// Messages, with all that their holders hold of them.
    pub messages: BTreeSet<MessageId>,
    /// Jobs, beside those of the messages.
    pub jobs: BTreeSet<JobId>,
    /// Mailboxes, which begin now if they have not begun.
    pub mailboxes: BTreeSet<ProfileId>,
    /// Entries of those mailboxes.
    pub entries: Vec<EntryRange>,
}

/// Entries of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryRange {
    /// Entries of the named messages in a box.
    Named(ProfileId, Msgbox, Vec<MessageId>),
    /// All of a box.
    All(ProfileId, Msgbox),
    /// The oldest of a box, as many as stand in the way of one more.
    Overflow(ProfileId, Msgbox),
}

impl Footprint {
    /// Adds what another operation of the same app must see.
    pub fn merge(&mut self, other: Self) {
        self.app |= other.app;
        self.messages.extend(other.messages);
        self.jobs.extend(other.jobs);
        self.mailboxes.extend(other.mailboxes);
        self.entries.extend(other.entries);
    }

    /// Footprint of one mailbox and some of its entries.
    pub(super) fn of_owner(owner: &ProfileId, entries: EntryRange) -> Self {
        Self {
            mailboxes: BTreeSet::from([owner.clone()]),
            entries: vec![entries],
            ..Self::default()
        }
    }

    /// Some messages, whoever holds them, and the mailbox of who asks with the own entries:
    /// of a message to everyone, nobody else could tell whether that one holds it.
    pub(super) fn of_messages_and(owner: &ProfileId, messages: &[MessageId]) -> Self {
        let own = EntryRange::Named(owner.clone(), Msgbox::Inbox, messages.to_vec());
        Self {
            mailboxes: BTreeSet::from([owner.clone()]),
            entries: vec![own],
            ..Self::of_messages(messages.iter().copied())
        }
    }

    /// Footprint of one job.
    pub(super) fn of_job(job_id: JobId) -> Self {
        Self {
            jobs: BTreeSet::from([job_id]),
            ..Self::default()
        }
    }

    /// Some messages, whoever holds them.
    pub(super) fn of_messages(messages: impl IntoIterator<Item = MessageId>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{profile, sent_at};

    #[test]
    fn many_footprints_are_one_that_sees_all() {
        let (ann, bob) = (profile("ann"), profile("bob"));
        let all = EntryRange::All(bob.clone(), Msgbox::Inbox);
        let named = EntryRange::Named(ann.clone(), Msgbox::Sent, vec![sent_at(1)]);
        let mut footprint = Footprint::of_owner(&bob, all.clone());
        footprint.merge(Footprint::of_owner(&ann, named.clone()));
        footprint.merge(Footprint::of_messages([sent_at(2), sent_at(2)]));
        footprint.merge(Footprint {
            app: true,
            ..Footprint::default()
        });
        footprint.merge(Footprint::of_job(JobId::NONE));
        let expected = Footprint {
            app: true,
            messages: BTreeSet::from([sent_at(2)]),
            jobs: BTreeSet::from([JobId::NONE]),
            mailboxes: BTreeSet::from([ann, bob]),
            entries: vec![all, named],
        };
        assert_eq!(footprint, expected);
    }
}
