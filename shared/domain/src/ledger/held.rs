//! Rows that another transaction has locked: they were not read, and no operation that needs them
//! is applied.

use super::Ledger;
use crate::id::{ConversationId, MessageId, ProfileId};
use crate::operation::Footprint;
use crate::segment::JobId;

/// Row that another transaction has locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldRow {
    /// The app.
    App,
    /// A conversation.
    Conversation(ConversationId),
    /// A message.
    Message(MessageId),
    /// A send job.
    SendJob(JobId),
    /// A mailbox.
    Mailbox(ProfileId),
}

impl Ledger {
    /// Notes that another transaction has locked a row.
    pub fn hold(&mut self, row: HeldRow) {
        self.held.insert(row);
    }

    /// Returns whether another transaction has locked any row.
    #[must_use]
    pub fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Returns the first row of a footprint that another transaction has locked.
    #[must_use]
    pub fn held_row(&self, footprint: &Footprint) -> Option<HeldRow> {
        self.rows_of(footprint).find(|row| self.held.contains(row))
    }

    /// Returns the rows of a footprint in the order of locking. A change of a message may be one of
    /// the app, too.
    fn rows_of<'a>(&'a self, footprint: &'a Footprint) -> impl Iterator<Item = HeldRow> + 'a {
        let changes_app = footprint.app || !footprint.messages.is_empty();
        let messages = footprint.messages.iter();
        let envelopes = messages.clone().filter_map(|(id, holders)| {
            let message = self.message(*id)?;
            Some((message, *holders))
        });
        let jobs = envelopes.clone().filter_map(|(message, _)| message.segment);
        let jobs = footprint
            .jobs
            .iter()
            .copied()
            .chain(jobs.map(|segment| segment.job_id));
        let holders = envelopes.flat_map(|(message, holders)| message.boxes_of(holders));
        let expired = footprint.expired.iter();
        let senders = expired.filter_map(|id| self.expired_sender(*id));
        let holders = holders.map(|(owner, _)| owner);
        let conversations = footprint.conversations.iter();
        let participants = conversations
            .clone()
            .filter_map(|id| self.conversation(*id));
        let participants = participants.flat_map(|it| &it.participants);
        let owners = footprint.owners().chain(senders).chain(holders);
        let owners = owners.chain(participants);
        changes_app
            .then_some(HeldRow::App)
            .into_iter()
            .chain(conversations.map(|id| HeldRow::Conversation(*id)))
            .chain(messages.map(|(id, _)| HeldRow::Message(*id)))
            .chain(jobs.map(HeldRow::SendJob))
            .chain(owners.cloned().map(HeldRow::Mailbox))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Holders;
    use crate::testing::{MemoryStore, from_user, profile};

    #[test]
    fn a_held_row_is_found_in_footprints_that_need_it() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["bob", "cid"]));
        let mut ledger = store.ledger(20);
        let of = |holders| Footprint::of_messages([sent], holders);
        assert_eq!(ledger.held_row(&of(Holders::All)), None);
        ledger.hold(HeldRow::Mailbox(profile("cid")));
        assert_eq!(ledger.held_row(&of(Holders::Sender)), None);
        let held = HeldRow::Mailbox(profile("cid"));
        assert_eq!(ledger.held_row(&of(Holders::All)), Some(held));
        ledger.hold(HeldRow::App);
        assert_eq!(ledger.held_row(&of(Holders::None)), Some(HeldRow::App));
    }
}
