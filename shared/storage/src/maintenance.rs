//! Background work of a store, done in small steps by every replica.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::audit::AuditedCall;
use domain::{AppId, Millis};

use crate::erasures::{ErasureList, ErasurePart, ErasurePlace, NamingPlace, RepeatedErasures};
use crate::error::Error;
use crate::feed::MailboxKey;
use crate::listener::MailboxHead;
use crate::recount::{KeptRecount, RecountReport};

/// Head of a mailbox, and whether the mailbox is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxStatus {
    /// Last change of the mailbox.
    pub head: MailboxHead,
    /// True if settling the mailbox would change it.
    pub is_due: bool,
}

/// Background work of a store. Replicas may run any of it at the same time.
///
/// # Errors
/// All methods but [`Self::new_epoch`] are safe to repeat after any error, including
/// [`Error::Unknown`]: what has been done is not done again. [`Error::Overloaded`],
/// [`Error::Busy`], [`Error::Deadline`] and [`Error::Unavailable`] are transient: the caller
/// waits and repeats the call. [`Error::Corrupt`] and [`Error::Internal`] need an operator: the
/// caller logs them and repeats the call at its usual interval.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Settles mailboxes that hold expired entries or, if there are none, deletes rows that no
    /// mailbox refers to any more, and lets messages expire that all of their holders have deleted:
    /// one small step, under a lease that one replica holds at a time. Returns whether there may be
    /// more to do at once; false without the lease. Also drops old messages from the memory of this
    /// replica.
    ///
    /// # Errors
    /// See [`Maintenance`]. Mailboxes settled before an error stay settled.
    async fn expire_due(&self) -> Result<bool, Error>;

    /// Deletes old tombstones of the next mailboxes behind `after`, in the order of their keys;
    /// from the first mailbox if `after` is none. Tombstones are old after
    /// [`domain::limits::TOMBSTONE_MS`], or behind the newest
    /// [`domain::limits::TOMBSTONES_MAX`] of their mailbox. Returns the last mailbox looked at,
    /// or none behind the last mailbox of all apps.
    ///
    /// # Errors
    /// See [`Maintenance`]. A failure that concerns one mailbox is logged instead, and that
    /// mailbox keeps its tombstones.
    async fn trim_tombstones(&self, after: Option<MailboxKey>)
    -> Result<Option<MailboxKey>, Error>;

    /// Returns the statuses of mailboxes, in no particular order; unknown ones are left out.
    /// Settles nothing. Every call, even for no mailbox, also checks whether the database was
    /// replaced; see [`ChangeListener`](crate::ChangeListener::on_database_replaced).
    ///
    /// # Errors
    /// See [`Maintenance`].
    async fn statuses(&self, mailboxes: &[MailboxKey]) -> Result<Vec<MailboxStatus>, Error>;

    /// Settles those of the mailboxes that are due, in as few transactions as possible. Unknown
    /// ones are ignored.
    ///
    /// # Errors
    /// See [`Maintenance`]. Some of the mailboxes may be settled all the same.
    async fn settle(&self, mailboxes: &[MailboxKey]) -> Result<(), Error>;

    /// Runs one step of one due job of each app, leaving alone the jobs that another replica
    /// works on. Returns whether any step was run.
    ///
    /// # Errors
    /// See [`Maintenance`], if the due jobs cannot be listed. The failure of a step is logged
    /// instead, and that job backs off.
    async fn run_jobs(&self) -> Result<bool, Error>;

    /// Waits until a job may have become due: until this replica creates one, and for `interval`
    /// at most, because other replicas create jobs too.
    async fn wait_for_jobs(&self, interval: Duration);

    /// Recounts the next mailboxes of all apps behind `after`, in the order of their keys; from
    /// the first mailbox if `after` is none. With `repair`, also corrects the counters that
    /// differ.
    ///
    /// # Errors
    /// See [`Maintenance`]. Mailboxes repaired before an error stay repaired.
    async fn recount(
        &self,
        after: Option<MailboxKey>,
        repair: bool,
    ) -> Result<RecountReport, Error>;

    /// Recounts what the next app behind `after` keeps: the bytes of contents of each sender, and those
    /// of the app with the number of its mailboxes if they are counted. From the first app if `after`
    /// is none. Reads all of its messages in one snapshot, again for every 500,000 mailboxes. With
    /// `repair`, also corrects the numbers that differ.
    ///
    /// # Errors
    /// See [`Maintenance`]. After an error with `repair`, some numbers may have been repaired.
    async fn recount_kept(&self, after: Option<i64>, repair: bool) -> Result<KeptRecount, Error>;

    /// Returns the next erasures of profiles of all apps behind `after`, in the order of their keys;
    /// from the first one if `after` is none.
    ///
    /// # Errors
    /// See [`Maintenance`].
    async fn list_erasures(&self, after: Option<ErasurePlace>) -> Result<ErasurePart, Error>;

    /// Begins the listed erasures of the profiles that the next rows of an app name, from a place on;
    /// from the first row if that is none. An erasure that the database has, of that time or a later
    /// one, is not repeated. Each has a record of the call in the audit log. For databases that were
    /// restored from a backup.
    ///
    /// # Errors
    /// See [`Maintenance`]. Erasures begun before an error stay.
    async fn repeat_erasures(
        &self,
        app: &AppId,
        listed: &ErasureList,
        call: &Arc<AuditedCall>,
        place: Option<NamingPlace>,
    ) -> Result<RepeatedErasures, Error>;

    /// Starts a new epoch, which invalidates all cursors. For databases that were restored from
    /// a backup.
    ///
    /// # Errors
    /// After [`Error::Unknown`] the epoch may have changed; repeating the call starts yet
    /// another one, which does no harm. After any other error it has not changed.
    async fn new_epoch(&self) -> Result<(), Error>;

    /// Accepts the current time: all replicas let fall due by it what a jump of the clock has held
    /// back. Returns that time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the time is not known.
    async fn accept_clock(&self) -> Result<Millis, Error>;
}
