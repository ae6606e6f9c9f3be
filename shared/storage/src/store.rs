//! The contract of a store.

use std::time::Instant;

use async_trait::async_trait;
use domain::operation::Apply;
use domain::page::Scan;
use domain::segment::JobReport;
use domain::{AppId, Message, MessageId, Msgbox, Operation, Outcome, Policy, ProfileId, Settings};

use crate::audit::Audit;
use crate::error::Error;
use crate::feed::{Feed, FeedPart, MailboxKey, Since};
use crate::intake::Intake;
use crate::read::{BulkReport, Counted, Item, Items, MailboxPage, Reader, RepositoryPage};
use crate::wake::Look;
use uuid::Uuid;

impl dyn MailStore + '_ {
    /// Executes one operation, and returns the outcome of its action. See
    /// [`MailStore::execute_action`], also for the errors.
    pub async fn execute<A: Apply>(
        &self,
        app: &AppId,
        operation: Operation<A>,
        deadline: Instant,
    ) -> Result<A::Outcome, Error> {
        let outcome = self
            .execute_action(app, operation.untyped(), deadline)
            .await?;
        let other = |error| Error::Internal(format!("outcome of another action: {error:?}").into());
        A::Outcome::try_from(outcome).map_err(other)
    }
}

/// A store of mailboxes.
///
/// # What holds for all methods
///
/// - Everything is within one app, which begins with the first call that names it.
/// - Somebody else's message and one that does not exist are the same.
/// - A read answers from one snapshot, and sees every write that was answered before the
///   read began.
/// - Whatever is due to a mailbox, it takes before anybody sees it or changes it: what has
///   expired by the store's clock goes, and what was sent to everyone comes. That is called
///   to settle; it happens in a transaction of its own or in that of the change, once,
///   whoever tries at the same time.
/// - Dropping the future of a write gives it up if it has not begun, and does not stop it
///   if it has: then it runs to its end. Dropping the future of a read does no harm.
///
/// # How to add to it
///
/// A new change of mailboxes is a new [`domain::Action`] and nothing here. A new question
/// is a method here, a statement and a function in `storage-sql/src/read`, and a case in
/// the list of conformance tests.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Carries out one operation: all of it, durably, before it answers; or nothing.
    ///
    /// Idempotent where the operation has a request: the same request gives the first
    /// outcome again for 72 hours, whatever has changed since, and however many ask at
    /// once. Refusals are not remembered.
    ///
    /// # Errors
    /// [`Error::Refused`] if the rules do not allow it. After [`Error::Unknown`] it may
    /// have been carried out or not; after any other error it was not.
    async fn execute_action(
        &self,
        app: &AppId,
        operation: Operation,
        deadline: Instant,
    ) -> Result<Outcome, Error>;

    /// What the boxes of a mailbox hold.
    async fn counts(
        &self,
        app: &AppId,
        owner: &ProfileId,
        reader: Reader,
    ) -> Result<Counted, Error>;

    /// The named messages in a box of a mailbox, in the order of the ids, as many as have
    /// `bytes_max` bytes of content together, but one at least. Ids are distinct.
    async fn entries(
        &self,
        app: &AppId,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Items<Item>, Error>;

    /// A scan over a mailbox: one page, cut at [`domain::limits::PAGE_BYTES_MAX`].
    async fn page(
        &self,
        app: &AppId,
        owner: &ProfileId,
        reader: Reader,
        scan: &Scan,
    ) -> Result<MailboxPage, Error>;

    /// What changed in the owner's mailbox after a place in its feed, in that order: the
    /// state of each entry as it is now. The mailbox begins with this, if it has not begun.
    async fn changes(
        &self,
        app: &AppId,
        owner: &ProfileId,
        since: Since,
        part: FeedPart,
    ) -> Result<Feed, Error>;

    /// Where mailboxes stand, in no order; those that do not exist are left out. This alone
    /// settles nothing. Whoever asks, be it for none, makes the store notice that its database
    /// was replaced.
    async fn heads(&self, mailboxes: &[MailboxKey]) -> Result<Vec<Look>, Error>;

    /// Settles those of the mailboxes that are due, together.
    async fn settle(&self, mailboxes: &[MailboxKey]) -> Result<(), Error>;

    /// Forgets the old deletions of a part of all mailboxes of all apps, in the order of
    /// their numbers, from `after` on: those of more than [`domain::limits::TOMBSTONE_MS`]
    /// ago, and of one mailbox all but the last [`domain::limits::TOMBSTONES_MAX`]. Where the
    /// next part begins; none: this was the last one. A mailbox that cannot be changed keeps
    /// its deletions, and the others of its part lose theirs.
    async fn trim(&self, after: Option<MailboxKey>) -> Result<Option<MailboxKey>, Error>;

    /// Does a part of what time has made due and nobody has come for, unless another store
    /// does: settles mailboxes in which something has expired, and once there is none,
    /// deletes what no mailbox holds any more. Whether there may be more to do at once.
    async fn sweep(&self) -> Result<bool, Error>;

    /// Begins to take in the recipients of a segment.
    async fn intake(&self, app: &AppId) -> Result<Box<dyn Intake>, Error>;

    /// How far the job of that id is, or that of the message of that id; none if there is none,
    /// or its message has expired.
    async fn job(&self, app: &AppId, id: Uuid) -> Result<Option<JobReport>, Error>;

    /// Takes the next step of a job of each app, of those that no other store is about to take
    /// steps of. Whether one was taken.
    async fn advance(&self) -> Result<bool, Error>;

    /// Makes all cursors void: the database was restored or replaced.
    async fn new_epoch(&self) -> Result<(), Error>;

    /// The named messages of an app, whoever holds them; otherwise as [`Self::entries`].
    async fn messages(
        &self,
        app: &AppId,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Items<Message>, Error>;

    /// A message to everyone and what has become of it so far, also after the app has deleted
    /// it, until it expires; none if there is no such message to everyone.
    async fn bulk(&self, app: &AppId, message_id: MessageId) -> Result<Option<BulkReport>, Error>;

    /// A scan over an app's messages, whoever holds them: one page, cut as
    /// [`Self::page`] is.
    async fn repository_page(&self, app: &AppId, scan: &Scan) -> Result<RepositoryPage, Error>;

    /// What the app overrides.
    async fn settings(&self, app: &AppId) -> Result<Settings, Error>;

    /// The rules that are in force for an app that overrides that.
    fn policy(&self, settings: &Settings) -> Policy;

    /// Recounts a part of all mailboxes of all apps, in the order of their numbers, from
    /// `after` on, and with `repair` corrects what does not agree.
    async fn audit(&self, after: Option<(i64, i64)>, repair: bool) -> Result<Audit, Error>;

    /// Whether the store answers and takes writes.
    async fn ready(&self) -> Result<(), Error>;

    /// Ends all connections, after the writes that are under way.
    async fn close(&self);
}
