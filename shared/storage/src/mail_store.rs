//! Operations on mailboxes, and reads.

use async_trait::async_trait;
use domain::conversation::Participation;
use domain::operation::Apply;
use domain::page::Scan;
use domain::segment::JobReport;
use domain::{
    AppId, Block, Conversation, ConversationId, Message, MessageId, Millis, Msgbox, Operation,
    Outcome, Policy, ProfileId, Settings,
};
use uuid::Uuid;

use crate::budget::Budget;
use crate::error::Error;
use crate::feed::{FeedLimits, FeedPage, FeedStart};
use crate::read::{
    AppState, BulkReport, ErasureReport, Item, Lookup, MailboxCounts, MailboxPage, RepositoryPage,
    Requester,
};
use crate::upload::RecipientUpload;

impl dyn MailStore + '_ {
    /// Executes an operation, and returns the outcome of its action.
    ///
    /// # Errors
    /// As [`MailStore::execute_action`].
    pub async fn execute<A: Apply>(
        &self,
        app: &AppId,
        operation: Operation<A>,
        budget: impl Into<Budget>,
    ) -> Result<A::Outcome, Error> {
        let outcome = self
            .execute_action(app, operation.untyped(), budget.into())
            .await?;
        let other = |error| Error::Internal(format!("outcome of another action: {error:?}").into());
        A::Outcome::try_from(outcome).map_err(other)
    }
}

/// Operations on the mailboxes of apps, and reads.
///
/// # Guarantees of all methods
///
/// - A call sees one app only. The app is created by the first call that names it.
/// - A message that the caller may not see is treated like a missing one.
/// - A read sees one snapshot, which includes every write answered before the read was called.
/// - A mailbox is settled before it is read or changed: its expired entries are deleted, and it
///   takes the bulk messages and the changes of them that it lacks. Concurrent calls settle it
///   once, in a transaction of their own or in that of the operation.
/// - Dropping the future of a write cancels it while it is queued; once its transaction has
///   started, it runs to its end. Dropping the future of a read is always safe.
///
/// # Errors
///
/// Reads fail with:
///
/// - [`Error::Overloaded`], [`Error::Busy`], [`Error::Deadline`], [`Error::Unavailable`]:
///   transient. The caller repeats the read, after a wait.
/// - [`Error::Unknown`]: the mailbox was to be created or settled first, and whether it has been
///   is unknown. The caller repeats the read, which is always safe.
/// - [`Error::Corrupt`], [`Error::Internal`]: repeating is pointless. An operator has to look.
///
/// They are never refused.
///
/// # Adding to the port
///
/// A new operation is a [`domain::Action`] and changes nothing here. A new read is a method
/// here, a file in `storage-sql/src/read` with its statement and function, and a conformance
/// test.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Executes an operation atomically and durably. `dyn MailStore` has
    /// `execute`, which returns the outcome by its type.
    ///
    /// An operation with a request is idempotent: for 72 hours the same request yields the
    /// outcome of its first execution, whatever has changed since, also when calls are
    /// concurrent. Refusals are not stored.
    ///
    /// `budget`: a queued operation is dropped at its deadline; one whose transaction has started is
    /// still completed. Its work is charged after each of its transactions. An audited call has a
    /// record in each of them; one that is refused, or repeated, has none.
    ///
    /// # Errors
    /// - [`Error::Refused`] if the domain forbids it. Repeating it unchanged is pointless.
    /// - [`Error::Overloaded`], [`Error::Busy`], [`Error::Deadline`], [`Error::Unavailable`] if it
    ///   was not executed. The caller may repeat it after a wait.
    /// - [`Error::Unknown`] if it may have been executed. Only an operation with a request may be
    ///   repeated.
    /// - [`Error::Corrupt`], [`Error::Internal`] after a defect: it was not executed, and repeating is
    ///   pointless.
    async fn execute_action(
        &self,
        app: &AppId,
        operation: Operation,
        budget: Budget,
    ) -> Result<Outcome, Error>;

    /// Starts an upload of the recipients of a segment.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if [`domain::limits::INTAKES_MAX`] uploads are open on this
    /// replica, or [`domain::limits::INTAKES_OF_APP_MAX`] of the app. Otherwise as for reads.
    async fn upload_recipients(&self, app: &AppId) -> Result<Box<dyn RecipientUpload>, Error>;

    /// Returns the message counts of a mailbox.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn counts(
        &self,
        app: &AppId,
        owner: &ProfileId,
        requester: Requester,
    ) -> Result<MailboxCounts, Error>;

    /// Looks up messages in a box of the owner's mailbox, creating the mailbox if it does not
    /// exist. Missing ones are left out.
    ///
    /// `message_ids`: distinct. `bytes_max`: maximum number of bytes of content; the first
    /// message is returned whatever its size.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn entries(
        &self,
        app: &AppId,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Lookup<Item>, Error>;

    /// Scans a mailbox. Returns one page of at most [`domain::limits::PAGE_BYTES_MAX`] bytes of
    /// content, or of one message if that is larger.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn page(
        &self,
        app: &AppId,
        owner: &ProfileId,
        requester: Requester,
        scan: &Scan,
    ) -> Result<MailboxPage, Error>;

    /// Returns the next page of the feed of the owner's mailbox: the changed entries in their
    /// current states, in the order of `seq`. Creates the mailbox if it does not exist.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`]. An invalid position is no error; see
    /// [`FeedPage::resync`].
    async fn changes(
        &self,
        app: &AppId,
        owner: &ProfileId,
        start: FeedStart,
        limits: FeedLimits,
    ) -> Result<FeedPage, Error>;

    /// Looks up messages of an app in all mailboxes. Parameters as for [`Self::entries`].
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn messages(
        &self,
        app: &AppId,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Lookup<Message>, Error>;

    /// Scans the messages of an app in all mailboxes; see [`Self::page`].
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn repository_page(&self, app: &AppId, scan: &Scan) -> Result<RepositoryPage, Error>;

    /// Returns a bulk message and its tally until it expires, also once the app has deleted it.
    /// None if the app has no such bulk message.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn bulk(&self, app: &AppId, message_id: MessageId) -> Result<Option<BulkReport>, Error>;

    /// Returns the progress of a send job, which `id` names by its job id or by its message id.
    /// None if there is none, or its message has expired.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn send_job(&self, app: &AppId, id: Uuid) -> Result<Option<JobReport>, Error>;

    /// Returns the settings that an app overrides, and the number of its last revocation.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn app_state(&self, app: &AppId) -> Result<AppState, Error>;

    /// Returns the time of issue before which the tokens of a profile are revoked; none if there
    /// is no revocation of them.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn revoked_before(
        &self,
        app: &AppId,
        profile: &ProfileId,
    ) -> Result<Option<Millis>, Error>;

    /// Returns the first blocks of a mailbox after a profile, in bytewise order of the profile ids;
    /// none if there is no mailbox.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn blocks(
        &self,
        app: &AppId,
        owner: &ProfileId,
        after: Option<&ProfileId>,
        rows: u32,
    ) -> Result<Vec<Block>, Error>;

    /// Returns the participations of a profile, [`domain::limits::CONVERSATIONS_MAX`] at the most, in
    /// no order.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn participations(
        &self,
        app: &AppId,
        owner: &ProfileId,
    ) -> Result<Vec<Participation>, Error>;

    /// Looks up conversations of which a profile is a participant, in the order of `conversation_ids`,
    /// which are distinct. Others are left out.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn conversations(
        &self,
        app: &AppId,
        owner: &ProfileId,
        conversation_ids: &[ConversationId],
    ) -> Result<Vec<Conversation>, Error>;

    /// Returns the erasure of a profile; none if it was not erased, or long ago.
    ///
    /// # Errors
    /// As for all reads, see [`MailStore`].
    async fn erasure(
        &self,
        app: &AppId,
        profile: &ProfileId,
    ) -> Result<Option<ErasureReport>, Error>;

    /// Returns the policy in force for an app with these settings.
    fn policy(&self, settings: &Settings) -> Policy;
}
