//! Recipients come in, and become one run.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::{CHUNK_RECIPIENTS, INTAKE_MS};
use domain::segment::{JobId, Recipients, RecipientsDigest};
use domain::{Millis, ProfileId};
use storage::{Error, Intake};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::chunks::Run;
use super::merge::Merge;
use crate::backend::{Backend, Pools};
use crate::connection::transact;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// Recipients of a run: as many as are sorted in memory.
const RUN_RECIPIENTS: usize = 16_384;
/// Recipients of a merged run that are written together: whoever writes in between waits for
/// no more than that.
const WRITTEN_TOGETHER: usize = 16 * CHUNK_RECIPIENTS;

static BEGIN: Statement = Statement::new(
    3,
    "INSERT INTO send_job (app_no, job_id, expire_ms) VALUES ($1, $2, $3)",
);

/// Leaves to the sweep what never got a message.
static FORGET: Statement = Statement::new(
    2,
    "UPDATE send_job SET expire_ms = 0 WHERE app_no = $1 AND job_id = $2 AND state = 0",
);

/// Where the recipients of a segment come in.
pub struct SegmentIntake<DB: Backend> {
    home: Home<DB>,
    /// Those that are in no run yet.
    unsorted: Vec<ProfileId>,
    runs: i64,
    named: i64,
    /// Its place among those that go on at once.
    _place: OwnedSemaphorePermit,
}

/// Where the runs of a job are stored. Unless they are kept, they are forgotten.
struct Home<DB: Backend> {
    read: Warm<DB>,
    write: Warm<DB>,
    app_no: i64,
    job_id: JobId,
    kept: bool,
}

impl<DB: Backend> SegmentIntake<DB> {
    /// Begins, if there is a place for one more.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if there is none.
    pub async fn begin(
        pools: &Pools<DB>,
        places: &Arc<Semaphore>,
        app_no: i64,
        now: Millis,
    ) -> Result<Self, Error> {
        let place = Arc::clone(places).try_acquire_owned();
        let place = place.map_err(|_| Error::Overloaded)?;
        let home = Home {
            read: pools.read.clone(),
            write: pools.write.clone(),
            app_no,
            job_id: JobId::new(Uuid::now_v7()),
            kept: false,
        };
        let begin = Call::of(&BEGIN)
            .with(app_no)
            .with(home.job_id.uuid())
            .with(now.after(INTAKE_MS).0);
        transact(&home.write, vec![begin]).await?;
        Ok(Self {
            home,
            unsorted: Vec::with_capacity(RUN_RECIPIENTS),
            runs: 0,
            named: 0,
            _place: place,
        })
    }

    /// Stores what has come in since the last run as another one.
    async fn store_run(&mut self) -> Result<Merged, Error> {
        let mut recipients = mem::take(&mut self.unsorted);
        recipients.sort_unstable();
        recipients.dedup();
        let run = self.home.run(self.runs);
        transact(&self.home.write, vec![run.write(0, &recipients)]).await?;
        self.runs += 1;
        let mut stored = Merged::nothing();
        stored.add(&recipients);
        recipients.clear();
        self.unsorted = recipients;
        Ok(stored)
    }

    /// Makes one run of all.
    async fn merge(&mut self) -> Result<Merged, Error> {
        let run = self.home.run(self.runs);
        let runs = (0..self.runs).map(|run_no| self.home.run(run_no));
        let mut merge = Merge::of(&self.home.read, runs.clone()).await?;
        let (mut merged, mut part) = (Merged::nothing(), Vec::with_capacity(WRITTEN_TOGETHER));
        loop {
            let next = merge.next().await?;
            let is_last = next.is_none();
            part.extend(next);
            if part.len() == WRITTEN_TOGETHER || (is_last && !part.is_empty()) {
                let write = run.write(merged.count / count(CHUNK_RECIPIENTS), &part);
                transact(&self.home.write, vec![write]).await?;
                merged.add(&part);
                part.clear();
            }
            if is_last {
                break;
            }
        }
        for run in runs {
            transact(&self.home.write, vec![run.forget()]).await?;
        }
        Ok(merged)
    }
}

#[async_trait]
impl<DB: Backend> Intake for SegmentIntake<DB> {
    async fn add(&mut self, recipients: Vec<ProfileId>) -> Result<(), Error> {
        self.named += count(recipients.len());
        for recipient in recipients {
            self.unsorted.push(recipient);
            if self.unsorted.len() == RUN_RECIPIENTS {
                self.store_run().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Recipients, Error> {
        let mut run_no = 0;
        let mut merged = self.store_run().await?;
        if self.runs > 1 {
            run_no = self.runs;
            merged = self.merge().await?;
        }
        self.home.kept = true;
        Ok(Recipients {
            job_id: self.home.job_id,
            run_no,
            accepted: merged.count,
            duplicates: self.named - merged.count,
            digest: merged.digest.finish(),
        })
    }
}

/// Recipients in their order.
struct Merged {
    count: i64,
    digest: RecipientsDigest,
}

impl Merged {
    fn nothing() -> Self {
        Self {
            count: 0,
            digest: RecipientsDigest::begin(),
        }
    }

    fn add(&mut self, recipients: &[ProfileId]) {
        self.count += count(recipients.len());
        for recipient in recipients {
            self.digest.add(recipient);
        }
    }
}

impl<DB: Backend> Home<DB> {
    const fn run(&self, number: i64) -> Run {
        Run {
            app_no: self.app_no,
            job_id: self.job_id,
            number,
        }
    }
}

impl<DB: Backend> Drop for Home<DB> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let forget = Call::of(&FORGET).with(self.app_no).with(self.job_id.uuid());
        let pool = self.write.clone();
        // If that fails too, it is forgotten when its time is over.
        tokio::spawn(async move { transact(&pool, vec![forget]).await });
    }
}

/// A number of recipients: at most [`domain::limits::SEGMENT_RECIPIENTS_MAX`].
fn count(recipients: usize) -> i64 {
    i64::try_from(recipients).unwrap_or(i64::MAX)
}
