//! Every change of a mailbox, a message or an app's settings, as data.
//!
//! An operation is one use case. Each has a file of its own with two pure functions:
//! `footprint` says what it must see, `apply` does it to a [`Ledger`] in memory. The store
//! reads the union of many footprints, applies the operations in turn, and writes what has
//! changed; it knows none of them. A new use case is a new file here.

mod advance;
mod clear;
mod configure;
mod delete;
mod deliver;
mod edit;
mod footprint;
mod launch;
mod mark;
mod mark_delivered;
mod open;
mod outcome;
mod recall;
mod remove;
mod send_bulk;
mod settle;
mod stop_job;
mod trim;
mod update;
mod weight;

pub use advance::Advance;
pub use clear::Clear;
pub use configure::Configure;
pub use delete::Delete;
pub use deliver::Deliver;
pub use edit::Edit;
pub use footprint::{EntryRange, Footprint};
pub use launch::Launch;
pub use mark::Mark;
pub use mark_delivered::MarkDelivered;
pub use open::Open;
pub use outcome::{Launched, Outcome, Revision, Sent};
pub use recall::Recall;
pub use remove::{Remove, RemoveOne};
pub use send_bulk::SendBulk;
pub use settle::Settle;
pub use stop_job::StopJob;
pub use trim::Trim;
pub use update::Update;
pub use weight::Weight;

use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::request::Request;

/// A change that somebody asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// How the asker names it, so that it can be repeated safely.
    pub request: Option<Request>,
    /// What to do.
    pub action: Action,
}

/// The use cases.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A profile comes for the first time.
    Open(Open),
    /// A mailbox takes what is due.
    Settle(Settle),
    /// A message is sent.
    Deliver(Deliver),
    /// A message is sent to everyone.
    SendBulk(SendBulk),
    /// A message is sent to a segment.
    Launch(Launch),
    /// A chunk of a segment has its turn.
    Advance(Advance),
    /// A job delivers to nobody more.
    StopJob(StopJob),
    /// Entries are marked as read or unread.
    Mark(Mark),
    /// Entries were handed to their owner.
    MarkDelivered(MarkDelivered),
    /// An owner deletes own entries.
    Delete(Delete),
    /// An owner deletes all own entries of a box.
    Clear(Clear),
    /// A sender or a recipient deletes messages for everyone.
    Recall(Recall),
    /// A sender changes what a message says.
    Edit(Edit),
    /// The app changes what a message says.
    Update(Update),
    /// The app deletes one message, if it has the expected version.
    RemoveOne(RemoveOne),
    /// The app deletes messages.
    Remove(Remove),
    /// Old deletions of a mailbox are forgotten.
    Trim(Trim),
    /// The app changes its settings.
    Configure(Configure),
}

impl Operation {
    /// What it must see.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        match &self.action {
            Action::Open(action) => action.footprint(),
            Action::Settle(action) => action.footprint(),
            Action::Deliver(action) => action.footprint(),
            Action::SendBulk(_) => SendBulk::footprint(),
            Action::Launch(action) => action.footprint(),
            Action::Advance(action) => action.footprint(),
            Action::StopJob(action) => action.footprint(),
            Action::Mark(action) => action.footprint(),
            Action::MarkDelivered(action) => action.footprint(),
            Action::Delete(action) => action.footprint(),
            Action::Clear(action) => action.footprint(),
            Action::Recall(action) => action.footprint(),
            Action::Edit(action) => action.footprint(),
            Action::Update(action) => action.footprint(),
            Action::RemoveOne(action) => action.footprint(),
            Action::Remove(action) => action.footprint(),
            Action::Trim(action) => action.footprint(),
            Action::Configure(_) => Configure::footprint(),
        }
    }

    /// Whether it makes a message.
    #[must_use]
    pub const fn makes_message(&self) -> bool {
        matches!(
            self.action,
            Action::Deliver(_) | Action::SendBulk(_) | Action::Launch(_)
        )
    }

    /// Does it to the ledger. `message_id` is the id of the message that it makes, if it
    /// makes one.
    ///
    /// # Errors
    /// Why the rules refuse it; the ledger is as it was.
    pub fn apply(&self, ledger: &mut Ledger, message_id: MessageId) -> Result<Outcome, Refusal> {
        match &self.action {
            Action::Open(_) | Action::Settle(_) => Ok(Outcome::Done),
            Action::Deliver(action) => action.apply(ledger, message_id).map(Outcome::Sent),
            Action::SendBulk(action) => action.apply(ledger, message_id).map(Outcome::Sent),
            Action::Launch(action) => action.apply(ledger, message_id).map(Outcome::Launched),
            Action::Advance(action) => Ok(Outcome::Changed(action.apply(ledger).into())),
            Action::StopJob(action) => action.apply(ledger).map(Outcome::Job),
            Action::Mark(action) => Ok(Outcome::Changed(action.apply(ledger))),
            Action::MarkDelivered(action) => Ok(Outcome::Changed(action.apply(ledger))),
            Action::Delete(action) => Ok(Outcome::Changed(action.apply(ledger))),
            Action::Clear(action) => Ok(Outcome::Changed(action.apply(ledger))),
            Action::Recall(action) => action.apply(ledger).map(Outcome::Changed),
            Action::Edit(action) => action.apply(ledger).map(Outcome::Revised),
            Action::Update(action) => action.apply(ledger).map(Outcome::Revised),
            Action::RemoveOne(action) => action.apply(ledger).map(|()| Outcome::Done),
            Action::Remove(action) => Ok(Outcome::Changed(action.apply(ledger))),
            Action::Trim(action) => {
                action.apply(ledger);
                Ok(Outcome::Done)
            }
            Action::Configure(action) => action.apply(ledger).map(Outcome::Configured),
        }
    }
}
