//! Request coalescing for counts.
//!
//! Reads that arrive while others run are answered together by one statement, a data loader:
//! many calls at once cost the database little more than one.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AppId, ProfileId};
use futures::FutureExt as _;
use storage::{Clock, Error, MailboxCounts};
use tokio::sync::oneshot;

use super::SqlStore;
use super::app_numbers::AppNumbers;
use super::settled_read::SettledRead;
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::db::epoch::Epoch;
use crate::db::pool::Pool;
use crate::read::{ReadOutcome, counts};
use crate::write::lanes::is_worth_bisecting;

/// Maximum number of mailboxes per statement.
const MAILBOXES_MAX: usize = 256;
/// Maximum number of concurrent statements. Fewer statements answer more reads each.
const LOADS_MAX: usize = 2;

/// Loads the counts of many mailboxes at once.
pub(super) struct CountsLoader<DB: Backend> {
    pool: Pool<DB>,
    apps: Arc<AppNumbers>,
    epoch: Arc<Epoch>,
    clock: Arc<dyn Clock>,
    pending: Mutex<PendingReads>,
}

/// The reads that wait for a load, and the number of running loads.
#[derive(Default)]
struct PendingReads {
    reads: Vec<PendingRead>,
    loads: usize,
}

/// A read that waits for a load. Its caller may have gone.
struct PendingRead {
    app: AppId,
    owner: ProfileId,
    reply: oneshot::Sender<LoadedCounts>,
}

/// The counts of a mailbox; none if the app does not exist or the mailbox is to be read alone.
type LoadedCounts = Result<Option<ReadOutcome<MailboxCounts>>, Error>;

impl<DB: Backend> SqlStore<DB> {
    /// Returns the counts of a mailbox as of some time after this call.
    pub(super) async fn read_counts(
        &self,
        read: &SettledRead<'_>,
    ) -> Result<ReadOutcome<MailboxCounts>, Error> {
        let (app, owner) = read.mailbox();
        if let Some(outcome) = self.counts_loader.load(app, owner).await? {
            return Ok(outcome);
        }
        let (app_no, mut view) = self.view(read).await?;
        let (epoch, now) = (self.epoch.get(), self.clock.now()?.due_ms);
        let mailbox = (app_no, owner.clone());
        let outcome = counts::read_one(view.connection(), epoch, &mailbox, now).await;
        view.end_with(outcome).await
    }
}

impl<DB: Backend> CountsLoader<DB> {
    pub fn new(
        pool: Pool<DB>,
        apps: Arc<AppNumbers>,
        epoch: Arc<Epoch>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            pool,
            apps,
            epoch,
            clock,
            pending: Mutex::default(),
        })
    }

    /// Loads the counts of a mailbox with those of others.
    async fn load(self: &Arc<Self>, app: &AppId, owner: &ProfileId) -> LoadedCounts {
        let (reply, loaded) = oneshot::channel();
        let read = PendingRead {
            app: app.clone(),
            owner: owner.clone(),
            reply,
        };
        if self.push(read) {
            // In a task of its own: it loads for other callers than this one, too.
            tokio::spawn(Arc::clone(self).run());
        }
        loaded.await.unwrap_or(Ok(None))
    }

    /// Loads until no read is pending.
    async fn run(self: Arc<Self>) {
        while let Some(reads) = self.take() {
            let loaded = AssertUnwindSafe(self.load_all(&reads)).catch_unwind();
            match loaded.await {
                Ok(Ok(counts)) => reply(reads, counts.into_iter().map(Ok)),
                // Dropping the reads makes each caller read alone.
                Err(_) => {}
                Ok(Err(error)) if is_worth_bisecting(&error) => {}
                // Reads that have arrived since would meet the same error.
                Ok(Err(error)) => {
                    let arrived = std::mem::take(&mut self.lock().reads);
                    let all = reads.into_iter().chain(arrived);
                    reply(all, std::iter::repeat_with(|| Err(error.duplicate())));
                }
            }
        }
    }

    /// Queues a read, and returns whether one more load is to be started.
    fn push(&self, read: PendingRead) -> bool {
        let mut pending = self.lock();
        pending.reads.push(read);
        let is_needed = pending.loads < LOADS_MAX;
        pending.loads += usize::from(is_needed);
        is_needed
    }

    /// Takes the reads that have waited longest. None if nothing is pending; then the caller's
    /// load ends.
    fn take(&self) -> Option<Vec<PendingRead>> {
        let mut pending = self.lock();
        pending.reads.retain(|read| !read.reply.is_closed());
        if pending.reads.is_empty() {
            pending.loads -= 1;
            return None;
        }
        let count = pending.reads.len().min(MAILBOXES_MAX);
        Some(pending.reads.drain(..count).collect())
    }

    async fn load_all(
        &self,
        reads: &[PendingRead],
    ) -> Result<Vec<Option<ReadOutcome<MailboxCounts>>>, Error> {
        let mut connection = Connection::of(&self.pool).await?;
        let mut numbers = BTreeMap::new();
        for read in reads {
            if !numbers.contains_key(&read.app) {
                let app_no = self.apps.number_on(&mut connection, &read.app).await?;
                numbers.insert(&read.app, app_no);
            }
        }
        let app_nos = reads.iter().map(|read| numbers[&read.app]);
        let app_nos: Vec<Option<i64>> = app_nos.collect();
        let mailboxes = app_nos.iter().zip(reads);
        let mailboxes = mailboxes.filter_map(|(app_no, it)| Some(((*app_no)?, it.owner.clone())));
        let mailboxes: Vec<(i64, ProfileId)> = mailboxes.collect();
        let (epoch, now) = (self.epoch.get(), self.clock.now()?.due_ms);
        let counts = counts::read(&mut connection, epoch, &mailboxes, now).await?;
        let mut counts = counts.into_iter();
        let loaded = app_nos
            .iter()
            .map(|app_no| app_no.and_then(|_| counts.next()));
        Ok(loaded.collect())
    }

    fn lock(&self) -> MutexGuard<'_, PendingReads> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reply(reads: impl IntoIterator<Item = PendingRead>, loaded: impl Iterator<Item = LoadedCounts>) {
    for (read, loaded) in reads.into_iter().zip(loaded) {
        // The caller may be gone.
        let _ = read.reply.send(loaded);
    }
}
