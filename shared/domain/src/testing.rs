//! Fixture of this crate's tests: a store of one app in memory, and short names.

#![expect(clippy::cast_possible_wrap, reason = "the numbers of tests are small")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::block::Block;
use crate::bulk::{BulkEvent, BulkMessage, Pending, Tally};
use crate::content::{Body, Content};
use crate::conversation::{Conversation, Metadata, Participation};
use crate::entry::Entry;
use crate::id::{ConversationId, MessageId, MessageIdSource, ProfileId};
use crate::ledger::{Changes, Ledger, Tombstone};
use crate::mailbox::{Counts, Mailbox, Msgbox};
use crate::message::{Draft, Envelope, Holders};
use crate::operation::{Action, Apply, Outcome, SendMessage};
use crate::policy::{Policy, Settings};
use crate::refusal::Refusal;
use crate::sender::Sender;
use crate::time::{Millis, Now};
use crate::violation::Violations;

pub fn profile(name: &str) -> ProfileId {
    ProfileId::parse(name).expect("a profile id")
}

pub fn profiles<const N: usize>(names: [&str; N]) -> Vec<ProfileId> {
    names.map(profile).into()
}

/// The id of a conversation with that number.
pub fn conversation_id(number: u128) -> ConversationId {
    ConversationId::new(uuid::Uuid::from_u128(number))
}

/// Metadata of these strings.
pub fn metadata<const N: usize>(strings: [(&str, &str); N]) -> Metadata {
    let strings = strings.map(|(path, value)| (path.to_owned(), value.to_owned()));
    Metadata::parse(&BTreeMap::from(strings)).expect("metadata")
}

/// The id of a message that was sent at that time.
pub fn sent_at(time_ms: u64) -> MessageId {
    MessageId::new(uuid::Builder::from_unix_timestamp_millis(time_ms, &[0; 10]).into_uuid())
}

pub fn text(text: &str) -> Content {
    let body = Body::Json(serde_json::json!(text));
    let encoded = Bytes::copy_from_slice(text.as_bytes());
    Content::parse(&body, encoded, "content", &mut Violations::none()).expect("a content")
}

pub fn from_user<const N: usize>(profile_id: &str, to: [&str; N]) -> SendMessage {
    let sender = Sender {
        profile_id: Some(profile(profile_id)),
        name: profile_id.to_owned(),
        pic: String::new(),
    };
    SendMessage::new(Draft::new(sender, text("hello")), profiles(to))
}

pub fn from_app<const N: usize>(to: [&str; N]) -> SendMessage {
    let sender = Sender {
        name: "the app".to_owned(),
        ..Sender::default()
    };
    SendMessage::new(Draft::new(sender, text("news")), profiles(to))
}

/// The same message with a lifetime.
pub fn lasting(mut message: SendMessage, lifetime_ms: i64) -> SendMessage {
    message.draft.lifetime_ms = Some(lifetime_ms);
    message
}

/// A source of one message id: of a fixed time, or of the time of the batch.
#[derive(Debug)]
struct OneId(Option<MessageId>);

impl MessageIdSource for OneId {
    fn next(&self, now: Millis) -> MessageId {
        self.0.unwrap_or_else(|| sent_at(now.0.cast_unsigned()))
    }
}

/// In-memory store of one app.
#[derive(Debug, Default)]
pub struct MemoryStore {
    pub policy: Policy,
    pub settings: Settings,
    pub mailboxes: BTreeMap<ProfileId, Mailbox>,
    /// Numbers of mailboxes are never used again.
    last_mailbox_id: i64,
    pub messages: BTreeMap<MessageId, Envelope>,
    pub contents: BTreeMap<MessageId, Content>,
    pub entries: BTreeMap<(i64, Msgbox, MessageId), Entry>,
    pub tombstones: Vec<Tombstone>,
    pub events: Vec<BulkEvent>,
    pub recalled: BTreeSet<MessageId>,
    pub blocks: BTreeMap<(i64, ProfileId), Block>,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub participations: BTreeMap<(i64, ConversationId), Participation>,
    /// Number of the last revocation.
    pub last_revocation: i64,
    pub tallies: BTreeMap<MessageId, Tally>,
    /// Id of the next message; none: one of the time of the batch.
    pub next_id: Option<MessageId>,
}

impl MemoryStore {
    /// A store in which those profiles have empty mailboxes.
    pub fn of<const N: usize>(owners: [&str; N]) -> Self {
        let mut store = Self::default();
        for owner in owners {
            store.create_mailbox(profile(owner));
        }
        for mailbox in store.mailboxes.values_mut() {
            mailbox.known = true;
        }
        store
    }

    pub fn create_mailbox(&mut self, owner: ProfileId) {
        if self.mailboxes.contains_key(&owner) {
            return;
        }
        self.last_mailbox_id += 1;
        let mailbox_id = self.last_mailbox_id;
        let mailbox = Mailbox {
            mailbox_id,
            seq: 0,
            floor_seq: 0,
            clock_ms: Millis(0),
            counts: Counts::default(),
            next_expiry_ms: None,
            bulk_cursor: 0,
            bulk_joined: self.events.last().map_or(0, |event| event.bulk_no),
            blocks: 0,
            conversations: 0,
            known: false,
            kept_bytes: 0,
            caused_by: None,
        };
        self.mailboxes.insert(owner, mailbox);
    }

    /// A ledger of the app without rows.
    pub fn empty_ledger(&self, now: i64) -> Ledger {
        let ids = Arc::new(OneId(self.next_id));
        Ledger::new(
            Now::at(Millis(now)),
            ids,
            self.policy.clone(),
            self.settings.clone(),
        )
        .with_last_revocation(self.last_revocation)
    }

    /// A ledger of all rows.
    pub fn ledger(&self, now: i64) -> Ledger {
        let mut ledger = self.empty_ledger(now);
        let now = Millis(now);
        for (owner, mailbox) in &self.mailboxes {
            ledger.read_mailbox(owner.clone(), mailbox.clone());
            ledger.read_next_expiry(mailbox.mailbox_id, self.next_expiry(mailbox, now));
        }
        for envelope in self.messages.values().filter(|it| it.expire_ms > now) {
            let owners = envelope.holders().map(|(owner, _)| owner);
            for owner in owners.filter(|owner| !self.mailboxes.contains_key(*owner)) {
                ledger.read_no_mailbox(owner.clone());
            }
            ledger.read_message(envelope.clone(), Holders::All);
        }
        for event in &self.events {
            ledger.read_bulk_id(event.message_id);
            ledger.read_pending(self.pending(*event));
        }
        for ((mailbox_id, ..), entry) in &self.entries {
            ledger.read_entry(*mailbox_id, entry.clone());
        }
        for envelope in self.messages.values() {
            ledger.read_expired(envelope.clone());
        }
        for sender in self.mailboxes.values() {
            let is_of_sender = |it: &&Mailbox| it.caused_by == Some(sender.mailbox_id);
            let unused = self.mailboxes.values().filter(is_of_sender).count();
            ledger.read_unused_mailboxes(sender.mailbox_id, unused as i64);
        }
        for ((mailbox_id, _), block) in &self.blocks {
            ledger.read_block(*mailbox_id, block.clone());
        }
        for conversation in self.conversations.values() {
            ledger.read_conversation(conversation.clone());
        }
        for owner in self.mailboxes.values().map(|it| it.mailbox_id) {
            for sender in self.mailboxes.values().map(|it| it.mailbox_id) {
                let unread = self.unread_of_sender(owner, sender);
                ledger.read_unread_of_sender(owner, sender, unread);
            }
        }
        ledger
    }

    fn unread_of_sender(&self, owner: i64, sender: i64) -> i64 {
        let entries = self.entries.iter();
        let of_both = entries.filter(|((mailbox_id, ..), entry)| {
            *mailbox_id == owner && entry.sender_id == Some(sender) && entry.is_unread()
        });
        of_both.count() as i64
    }

    fn pending(&self, event: BulkEvent) -> Pending {
        let message = self.messages.get(&event.message_id);
        Pending {
            event,
            message: message.map(|message| BulkMessage {
                send_ms: message.send_ms,
                version: message.version,
            }),
        }
    }

    fn next_expiry(&self, mailbox: &Mailbox, now: Millis) -> Option<Millis> {
        let entries = self.entries.iter();
        let of_mailbox = entries.filter(|((mailbox_id, ..), _)| *mailbox_id == mailbox.mailbox_id);
        let times = of_mailbox.map(|(_, entry)| entry.expire_ms);
        times.filter(|time| *time > now).min()
    }

    /// Writes the changes of a ledger, and checks that the counters are a recount.
    pub fn write(&mut self, ledger: Ledger) -> Changes {
        let changes = ledger.into_changes().expect("all rows were read");
        if let Some(settings) = &changes.settings {
            self.settings = settings.clone();
        }
        for message in changes.new_messages.iter().chain(&changes.contents) {
            let message_id = message.envelope.message_id;
            self.messages.insert(message_id, message.envelope.clone());
            self.contents.insert(message_id, message.content.clone());
        }
        for message_id in &changes.gone_messages {
            self.messages.remove(message_id).expect("a stored message");
        }
        for (message_id, _) in &changes.recalled_messages {
            self.messages.remove(message_id).expect("a stored message");
            self.recalled.insert(*message_id);
        }
        let revocations = changes
            .revocations
            .values()
            .chain(changes.erasures.values());
        let numbers = revocations.map(|it| it.number);
        self.last_revocation = numbers.max().unwrap_or(self.last_revocation);
        self.events.extend(&changes.bulk_events);
        for (message_id, add) in &changes.tallies {
            let tally = self.tallies.entry(*message_id).or_default();
            tally.settled += add.settled;
            tally.read += add.read;
            tally.deleted += add.deleted;
        }
        for key in &changes.gone_entries {
            self.entries.remove(key).expect("a stored entry");
        }
        for (mailbox_id, entry) in changes.new_entries.iter().chain(&changes.entries) {
            let key = (*mailbox_id, entry.msgbox, entry.message_id);
            self.entries.insert(key, entry.clone());
        }
        for key in &changes.gone_blocks {
            self.blocks.remove(key).expect("a stored block");
        }
        for (mailbox_id, block) in &changes.new_blocks {
            let key = (*mailbox_id, block.profile_id.clone());
            let before = self.blocks.insert(key, block.clone());
            assert_eq!(before, None, "a block was stored twice");
        }
        self.write_conversations(&changes);
        self.tombstones.extend(changes.tombstones.iter().cloned());
        for (&mailbox_id, &floor) in &changes.floors {
            self.tombstones
                .retain(|it| it.mailbox_id != mailbox_id || it.seq > floor);
        }
        for mailbox_id in &changes.gone_mailboxes {
            let count = self.mailboxes.len();
            self.mailboxes.retain(|_, it| it.mailbox_id != *mailbox_id);
            assert_eq!(self.mailboxes.len(), count - 1, "a stored mailbox");
            let entries = self.entries.keys();
            assert!(entries.into_iter().all(|(owner, ..)| owner != mailbox_id));
        }
        for mailbox in &changes.mailboxes {
            let same = |stored: &&mut Mailbox| stored.mailbox_id == mailbox.mailbox_id;
            let stored = self.mailboxes.values_mut().find(same);
            *stored.expect("a mailbox") = mailbox.clone();
        }
        for (message_id, to) in &changes.recipients {
            let message = self.messages.get_mut(message_id).expect("a message");
            message.to.clone_from(to);
        }
        self.check();
        changes
    }

    fn write_conversations(&mut self, changes: &Changes) {
        for conversation_id in &changes.gone_conversations {
            let gone = self.conversations.remove(conversation_id);
            gone.expect("a stored conversation");
        }
        for (conversations, is_new) in [
            (&changes.conversations, false),
            (&changes.new_conversations, true),
        ] {
            for it in conversations {
                let before = self.conversations.insert(it.conversation_id, it.clone());
                assert_eq!(before.is_none(), is_new, "{it:?}");
            }
        }
        for key in &changes.gone_participations {
            let gone = self.participations.remove(key);
            gone.expect("a stored participation");
        }
        for (mailbox_id, it) in &changes.new_participations {
            let key = (*mailbox_id, it.conversation_id);
            let before = self.participations.insert(key, it.clone());
            assert_eq!(before, None, "a participation was stored twice");
        }
    }

    /// Applies one action, each of its parts in a batch of its own. If it is refused, the ledger
    /// must be as it was.
    pub fn execute<A: Apply>(&mut self, now: i64, action: A) -> Result<A::Outcome, Refusal> {
        let mut part: Action = action.into();
        loop {
            let (outcome, rest) = self.execute_part(now, &part)?;
            match rest {
                Some(rest) => part = rest,
                None => return Ok(outcome.try_into().expect("the outcome of its action")),
            }
        }
    }

    fn execute_part(
        &mut self,
        now: i64,
        action: &Action,
    ) -> Result<(Outcome, Option<Action>), Refusal> {
        let footprint = action.footprint();
        for owner in &footprint.mailboxes {
            self.create_mailbox(owner.clone());
        }
        let policy = self.settings.over(&self.policy);
        if policy.allow_unknown_recipients {
            for owner in footprint.owners() {
                self.create_mailbox(owner.clone());
            }
        }
        let mut ledger = self.ledger(now);
        for owner in footprint.owners() {
            if !self.mailboxes.contains_key(owner) {
                ledger.read_no_mailbox(owner.clone());
            }
        }
        let settled = ledger.settle() > 0;
        let before = format!("{ledger:?}");
        let verdict = action.apply(&mut ledger);
        if verdict.is_err() {
            let after = format!("{ledger:?}");
            assert_eq!(after, before, "a refused action changed the ledger");
        }
        if verdict.is_ok()
            && let Some(caller) = action.caller()
        {
            ledger.know(caller);
        }
        let rest = |outcome: &Outcome| action.rest(&ledger, outcome);
        let verdict = verdict.map(|outcome| (outcome.clone(), rest(&outcome)));
        let mut changes = self.write(ledger);
        // Those that were created for it.
        changes.gone_mailboxes.clear();
        if verdict.is_err() && !settled {
            assert_eq!(changes, Changes::default());
        }
        verdict
    }

    /// Sends a message at a time, and returns its id.
    pub fn send(&mut self, now: u64, message: SendMessage) -> MessageId {
        let sent = self
            .execute(now as i64, message)
            .expect("a message is sent");
        sent.message_id
    }

    pub fn mailbox(&self, owner: &str) -> &Mailbox {
        &self.mailboxes[&profile(owner)]
    }

    pub fn entry(&self, owner: &str, msgbox: Msgbox, message_id: MessageId) -> Option<&Entry> {
        let mailbox_id = self.mailbox(owner).mailbox_id;
        self.entries.get(&(mailbox_id, msgbox, message_id))
    }

    /// Messages in `inbox`, unread ones of them, and messages in `sent`.
    pub fn counts(&self, owner: &str) -> (i64, i64, i64) {
        let counts = self.mailbox(owner).counts;
        (counts.inbox_total, counts.inbox_unread, counts.sent_total)
    }

    /// Checks the invariants of all mailboxes.
    fn check(&self) {
        let mut listed = BTreeSet::new();
        for conversation in self.conversations.values() {
            assert!(
                conversation
                    .participants
                    .is_sorted_by(|one, other| one < other)
            );
            let mailboxes = conversation.participants.iter();
            let mailboxes = mailboxes.map(|owner| self.mailboxes[owner].mailbox_id);
            listed.extend(mailboxes.map(|it| (it, conversation.conversation_id)));
        }
        assert_eq!(listed, self.participations.keys().copied().collect());
        for mailbox in self.mailboxes.values() {
            let entries: Vec<&Entry> = self
                .entries
                .range(
                    (mailbox.mailbox_id, Msgbox::Inbox, sent_at(0))
                        ..(mailbox.mailbox_id + 1, Msgbox::Inbox, sent_at(0)),
                )
                .map(|(_, entry)| entry)
                .collect();
            let count = |msgbox| entries.iter().filter(|e| e.msgbox == msgbox).count() as i64;
            let recount = Counts {
                inbox_total: count(Msgbox::Inbox),
                inbox_unread: entries.iter().filter(|entry| entry.is_unread()).count() as i64,
                sent_total: count(Msgbox::Sent),
            };
            assert_eq!(mailbox.counts, recount, "{mailbox:?}");
            let participations = self.participations.keys();
            let own = participations.filter(|(owner, _)| *owner == mailbox.mailbox_id);
            assert_eq!(mailbox.conversations, own.count() as i64, "{mailbox:?}");
            let numbers: BTreeSet<i64> = entries.iter().map(|entry| entry.seq).collect();
            assert_eq!(numbers.len(), entries.len(), "a number was used twice");
            let in_order = |entry: &&&Entry| (entry.seq, entry.update_ms);
            let mut by_seq = entries.iter().collect::<Vec<_>>();
            by_seq.sort_unstable_by_key(in_order);
            assert!(by_seq.is_sorted_by_key(|entry| entry.update_ms));
            for entry in entries {
                assert!(entry.seq <= mailbox.seq && entry.update_ms <= mailbox.clock_ms);
                assert!(Some(entry.expire_ms) >= mailbox.next_expiry_ms);
            }
        }
    }
}
