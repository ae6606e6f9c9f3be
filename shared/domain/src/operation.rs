//! Operations: changes of mailboxes, messages or an app's settings, as data.
//!
//! Each action is one use case with a file of its own, which implements [`Apply`]: the
//! footprint that must be locked and read, the weight, and the change itself, made in memory
//! to a [`Ledger`]. The store reads the union of many footprints, applies the operations in
//! turn and writes the changes; it knows no action by name. A new use case is a file and a
//! line in the list of [`actions!`].

mod block_profile;
mod cancel_send_job;
mod change_participants;
mod clear_messages;
mod create_conversation;
mod create_mailbox;
mod delete_entries;
mod delete_for_everyone;
mod delete_mailbox;
mod delete_message;
mod delete_messages;
mod deletion_part;
mod deliver_chunk;
mod edit_message;
mod erase_app;
mod erase_profile;
mod expire_messages;
mod expire_orphans;
mod footprint;
mod forget_recipient;
mod leave_conversation;
mod mark_messages_delivered;
mod mark_messages_read;
mod named_entries;
mod outcome;
mod record_read;
mod revoke_tokens;
mod send_bulk;
mod send_message;
mod send_to_profiles;
mod settle_mailbox;
mod trim_tombstones;
mod unblock_profile;
mod update_app_settings;
mod update_conversation_metadata;
mod update_message;
mod weight;

pub use change_participants::ParticipantsChange;
pub use footprint::{EntryRange, Footprint, UserSend};
pub use named_entries::NamedEntries;
pub use outcome::{
    ConversationCreated, ConversationVersion, CreationOutcome, Outcome, Revision, SegmentSent,
    Sent, UnexpectedOutcome,
};
pub use weight::Weight;

use crate::audit::AuditId;
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::request::Request;

/// An action, and the request that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation<A = Action> {
    /// Idempotency key and fingerprint; none for what is not repeated or may be done twice.
    pub request: Option<Request>,
    /// The change to make.
    pub action: A,
}

impl<A: Apply> Operation<A> {
    /// The same operation with its action as one of all.
    #[must_use]
    pub fn untyped(self) -> Operation {
        Operation {
            request: self.request,
            action: self.action.into(),
        }
    }
}

impl<A> From<A> for Operation<A> {
    /// An operation without a request id.
    fn from(action: A) -> Self {
        Self {
            request: None,
            action,
        }
    }
}

/// A use case: a pure function over a [`Ledger`], and what must be known before it runs.
pub trait Apply: Into<Action> {
    /// Result for the caller; stored with the request id.
    type Outcome: Into<Outcome> + TryFrom<Outcome, Error: std::fmt::Debug>;

    /// Rows to lock and read before [`Self::apply`].
    fn footprint(&self) -> Footprint;

    /// Estimated load on its transaction.
    fn weight(&self) -> Weight;

    /// Profile whose turn in a queue the operation takes: its user. Default: none, the app itself,
    /// which is one more actor.
    fn actor(&self) -> Option<&ProfileId> {
        None
    }

    /// Profile that has called: its mailbox counts as used from then on. Default: the actor.
    fn caller(&self) -> Option<&ProfileId> {
        self.actor()
    }

    /// The first mailbox that it is sure to lock. Operations with the same key share a lane, so
    /// that they do not wait for each other's locks. Default: that of the actor.
    fn lane_key(&self) -> Option<&ProfileId> {
        self.actor()
    }

    /// Ids that the operation touches, for the audit log. Default: those of its footprint.
    fn audited_ids(&self) -> Vec<AuditId> {
        self.footprint().ids()
    }

    /// Makes the change in the ledger.
    ///
    /// # Errors
    /// The reason of the refusal; the ledger is unchanged.
    fn apply(&self, ledger: &mut Ledger) -> Result<Self::Outcome, Refusal>;

    /// Returns what is left to do in a transaction of its own after [`Self::apply`]; `done` is
    /// its outcome so far. Default: nothing.
    fn rest(&self, _ledger: &Ledger, _done: &Outcome) -> Option<Action> {
        None
    }
}

/// Expands a list of actions to [`Action`], and forwards its [`Apply`] to each of them.
macro_rules! actions {
    ($($(#[$doc:meta])* $module:ident::$name:ident,)*) => {
        $(pub use $module::$name;)*

        /// The use cases, each named after its RPC if it has one.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Action {
            $($(#[$doc])* $name($name),)*
        }

        $(impl From<$name> for Action {
            fn from(action: $name) -> Self {
                Self::$name(action)
            }
        })*

        impl Apply for Action {
            type Outcome = Outcome;

            fn footprint(&self) -> Footprint {
                match self {
                    $(Self::$name(action) => action.footprint(),)*
                }
            }

            fn weight(&self) -> Weight {
                match self {
                    $(Self::$name(action) => action.weight(),)*
                }
            }

            fn actor(&self) -> Option<&ProfileId> {
                match self {
                    $(Self::$name(action) => action.actor(),)*
                }
            }

            fn caller(&self) -> Option<&ProfileId> {
                match self {
                    $(Self::$name(action) => action.caller(),)*
                }
            }

            fn lane_key(&self) -> Option<&ProfileId> {
                match self {
                    $(Self::$name(action) => action.lane_key(),)*
                }
            }

            fn audited_ids(&self) -> Vec<AuditId> {
                match self {
                    $(Self::$name(action) => action.audited_ids(),)*
                }
            }

            fn apply(&self, ledger: &mut Ledger) -> Result<Outcome, Refusal> {
                match self {
                    $(Self::$name(action) => action.apply(ledger).map(Into::into),)*
                }
            }

            fn rest(&self, ledger: &Ledger, done: &Outcome) -> Option<Action> {
                match self {
                    $(Self::$name(action) => action.rest(ledger, done),)*
                }
            }
        }
    };
}

actions! {
    /// A profile gets an empty mailbox.
    create_mailbox::CreateMailbox,
    /// A mailbox takes all that is due.
    settle_mailbox::SettleMailbox,
    /// A user or the app sends to named profiles.
    send_message::SendMessage,
    /// The app sends to everyone.
    send_bulk::SendBulk,
    /// The app sends to a segment.
    send_to_profiles::SendToProfiles,
    /// A send job delivers to the next chunk of its segment.
    deliver_chunk::DeliverChunk,
    /// The app stops a send job.
    cancel_send_job::CancelSendJob,
    /// An owner marks entries as read or unread.
    mark_messages_read::MarkMessagesRead,
    /// A stream or client confirms that it received entries.
    mark_messages_delivered::MarkMessagesDelivered,
    /// An owner deletes own entries: `Messaging.DeleteMessages` of the own copy. Entries, to
    /// tell it from `Sys.DeleteMessages`, which deletes the messages.
    delete_entries::DeleteEntries,
    /// An owner deletes all own entries of a box.
    clear_messages::ClearMessages,
    /// A sender or recipient deletes messages: `Messaging.DeleteMessages` for everyone.
    delete_for_everyone::DeleteForEveryone,
    /// A sender replaces the content of a message.
    edit_message::EditMessage,
    /// The app replaces the content of a message.
    update_message::UpdateMessage,
    /// The app deletes one message, of the expected version.
    delete_message::DeleteMessage,
    /// The app deletes messages: `Sys.DeleteMessages`.
    delete_messages::DeleteMessages,
    /// An owner blocks a profile.
    block_profile::BlockProfile,
    /// An owner unblocks a profile.
    unblock_profile::UnblockProfile,
    /// A user creates a conversation, or finds it.
    create_conversation::CreateConversation,
    /// A participant changes the participants of a conversation.
    change_participants::ChangeParticipants,
    /// A participant leaves a conversation.
    leave_conversation::LeaveConversation,
    /// A participant changes the metadata of a conversation.
    update_conversation_metadata::UpdateConversationMetadata,
    /// Messages that no box has any more expire.
    expire_orphans::ExpireOrphans,
    /// Expired messages are forgotten.
    expire_messages::ExpireMessages,
    /// A mailbox forgets old deletions.
    trim_tombstones::TrimTombstones,
    /// The app replaces its settings.
    update_app_settings::UpdateAppSettings,
    /// The app revokes the tokens of a profile.
    revoke_tokens::RevokeTokens,
    /// The app erases itself.
    erase_app::EraseApp,
    /// The app erases a profile.
    erase_profile::EraseProfile,
    /// Messages no longer name a recipient that is erased.
    forget_recipient::ForgetRecipient,
    /// The mailbox of a profile goes.
    delete_mailbox::DeleteMailbox,
    /// The app's own server has read contents.
    record_read::RecordRead,
}
