//! Conversations of a ledger, and the participations of mailboxes in them. The participants of a
//! conversation say which participations there are: those need not be read.

use super::tracked::Tracked;
use super::{Ledger, NotRead};
use crate::conversation::{Conversation, DistinctKey, Metadata, Participation};
use crate::id::{ConversationId, ProfileId};
use crate::limits::CONVERSATIONS_MAX;

impl Ledger {
    /// Adds a conversation that was locked and read.
    pub fn read_conversation(&mut self, conversation: Conversation) {
        let conversation_id = conversation.conversation_id;
        let tracked = Tracked::read(conversation);
        self.rows.conversations.insert(conversation_id, tracked);
    }

    /// Adds a conversation that was found, and not locked: it is looked at only.
    pub fn find_conversation(&mut self, conversation: Conversation) {
        let conversation_id = conversation.conversation_id;
        self.found_conversations
            .insert(conversation_id, conversation);
    }

    /// A conversation that was locked, or added.
    #[must_use]
    pub fn conversation(&self, conversation_id: ConversationId) -> Option<&Conversation> {
        self.rows.conversations.get(&conversation_id)?.current()
    }

    /// A conversation that was locked, found or added.
    #[must_use]
    pub fn existing_conversation(&self, conversation_id: ConversationId) -> Option<&Conversation> {
        match self.rows.conversations.get(&conversation_id) {
            Some(tracked) => tracked.current(),
            None => self.found_conversations.get(&conversation_id),
        }
    }

    /// The distinct conversation of a key, among those that were locked, found or added.
    #[must_use]
    pub fn distinct_conversation(&self, key: DistinctKey) -> Option<&Conversation> {
        let locked = self.rows.conversations.values();
        let locked = locked.filter_map(Tracked::current);
        let found = self.found_conversations.values();
        let found = found.filter(|it| !self.rows.conversations.contains_key(&it.conversation_id));
        locked.chain(found).find(|it| it.distinct_key == Some(key))
    }

    /// A new id of a conversation.
    #[must_use]
    pub fn new_conversation_id(&self) -> ConversationId {
        ConversationId::new(self.ids.next(self.now()).uuid())
    }

    /// Returns whether a profile has as many conversations as one may.
    #[must_use]
    pub fn is_full_of_conversations(&self, owner: &ProfileId) -> bool {
        let has_most = |conversations: i64| conversations >= i64::from(CONVERSATIONS_MAX);
        self.mailbox(owner)
            .is_some_and(|mailbox| has_most(mailbox.conversations))
    }

    /// Adds a conversation, and the participations in it.
    pub fn add_conversation(&mut self, conversation: Conversation) {
        for owner in &conversation.participants {
            self.add_participation(owner, &conversation);
        }
        self.charge_conversation(&conversation);
        let conversation_id = conversation.conversation_id;
        let rows = &mut self.rows.conversations;
        if let Some(ended) = rows.get_mut(&conversation_id) {
            ended.set(conversation);
        } else {
            rows.insert(conversation_id, Tracked::new(conversation));
        }
    }

    /// Replaces the participants of a conversation, in bytewise order; it is not distinct any more. It
    /// ends with its last one. Returns its new version.
    pub fn set_participants(
        &mut self,
        conversation_id: ConversationId,
        participants: Vec<ProfileId>,
    ) -> i64 {
        let Some(before) = self.conversation(conversation_id).cloned() else {
            return 0;
        };
        let mut after = Conversation {
            distinct_key: None,
            participants,
            ..before.clone()
        };
        let creator = after.creator.take();
        after.creator = creator.filter(|creator| after.has(creator));
        for owner in before.participants.iter().filter(|it| !after.has(it)) {
            self.remove_participation(owner, &before);
        }
        for owner in after.participants.iter().filter(|it| !before.has(it)) {
            self.add_participation(owner, &before);
        }
        self.revise_conversation(after)
    }

    /// Replaces the metadata of a conversation, and returns its new version.
    pub fn set_metadata(&mut self, conversation_id: ConversationId, metadata: Metadata) -> i64 {
        let Some(before) = self.conversation(conversation_id).cloned() else {
            return 0;
        };
        self.revise_conversation(Conversation { metadata, ..before })
    }

    fn revise_conversation(&mut self, mut conversation: Conversation) -> i64 {
        conversation.version += 1;
        conversation.update_ms = self.now().not_before(conversation.update_ms);
        self.charge_conversation(&conversation);
        let version = conversation.version;
        let conversation_id = conversation.conversation_id;
        if let Some(row) = self.rows.conversations.get_mut(&conversation_id) {
            if conversation.participants.is_empty() {
                row.clear();
            } else {
                row.set(conversation);
            }
        }
        version
    }

    /// Charges a change of a conversation as one of an entry of each participant.
    const fn charge_conversation(&mut self, conversation: &Conversation) {
        self.entry_changes += conversation.participants.len();
    }

    fn add_participation(&mut self, owner: &ProfileId, conversation: &Conversation) {
        let Some(mailbox_id) = self.count_conversations(owner, 1) else {
            return;
        };
        let participation = Participation {
            conversation_id: conversation.conversation_id,
            create_ms: conversation.create_ms,
        };
        let key = (mailbox_id, conversation.conversation_id);
        let rows = &mut self.rows.participations;
        if let Some(ended) = rows.get_mut(&key) {
            ended.set(participation);
        } else {
            rows.insert(key, Tracked::new(participation));
        }
    }

    fn remove_participation(&mut self, owner: &ProfileId, conversation: &Conversation) {
        let Some(mailbox_id) = self.count_conversations(owner, -1) else {
            return;
        };
        let key = (mailbox_id, conversation.conversation_id);
        let stored = || {
            Tracked::read(Participation {
                conversation_id: conversation.conversation_id,
                create_ms: conversation.create_ms,
            })
        };
        self.rows
            .participations
            .entry(key)
            .or_insert_with(stored)
            .clear();
    }

    /// Counts conversations of a mailbox, and returns the number of the mailbox. They are no part of
    /// the feed. A mailbox that was not read, or does not exist, makes the batch fail.
    fn count_conversations(&mut self, owner: &ProfileId, by: i64) -> Option<i64> {
        let mailbox = self.rows.mailboxes.get_mut(owner).and_then(Tracked::change);
        let Some(mailbox) = mailbox else {
            self.not_read
                .get_or_insert_with(|| NotRead::Mailbox(owner.clone()));
            return None;
        };
        mailbox.conversations += by;
        Some(mailbox.mailbox_id)
    }
}
