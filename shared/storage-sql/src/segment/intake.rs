//! Recipients come in, and become one run.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::{CHUNK_RECIPIENTS, INTAKE_MS};
use domain::segment::{JobId, Recipients, RecipientsDigest, chunks};
use domain::{Millis, ProfileId};
use storage::{Error, Intake};
use uuid::Uuid;

use super::chunks::{Run, lost};
use super::desk::Desk;
use super::merge::Merge;
use crate::backend::Backend;
use crate::rows::Call;
use crate::statement::Statement;

/// Recipients of a run: as many as are sorted in memory.
const RUN_RECIPIENTS: usize = 16_384;
/// Runs that are merged at once: of each, one chunk is in memory.
const MERGED_AT_ONCE: usize = 64;
/// Recipients that are written together: whoever writes in between waits for no more than that.
const WRITTEN_TOGETHER: usize = 16 * CHUNK_RECIPIENTS;
/// Chunks that are forgotten together.
const FORGOTTEN_TOGETHER: i64 = 64;

static BEGIN: Statement = Statement::new(
    3,
    "INSERT INTO send_job (app_no, job_id, expire_ms) VALUES ($1, $2, $3)",
);

/// Notes who they are, if all chunks are there.
static SEAL: Statement = Statement::new(
    6,
    "UPDATE send_job SET run_no = $3, accepted = $4, duplicates = $5
     WHERE app_no = $1 AND job_id = $2 AND state = 0 AND $6 = (
         SELECT count(*) FROM send_chunk c
         WHERE c.app_no = $1 AND c.job_id = $2 AND c.run_no = $3
     )",
);

/// Leaves to the sweep what has no message.
static FORGET: Statement = Statement::new(
    3,
    "UPDATE send_job SET expire_ms = $3 WHERE app_no = $1 AND job_id = $2 AND state = 0",
);

/// Where the recipients of a segment come in.
pub struct SegmentIntake<DB: Backend> {
    desk: Arc<Desk<DB>>,
    app_no: i64,
    job_id: JobId,
    /// Those that are in no run yet.
    unsorted: Vec<ProfileId>,
    runs: VecDeque<Stored>,
    /// The number of the next run.
    next_run: i64,
    named: i64,
}

/// A run that is stored, as it must be found again.
#[derive(Clone, Copy)]
pub struct Stored {
    pub run: Run,
    pub recipients: i64,
    digest: [u8; 32],
}

impl<DB: Backend> SegmentIntake<DB> {
    /// Begins, with a place at a desk.
    pub async fn begin(desk: Arc<Desk<DB>>, app_no: i64) -> Result<Self, Error> {
        let intake = Self {
            app_no,
            job_id: JobId::new(Uuid::now_v7()),
            unsorted: Vec::with_capacity(RUN_RECIPIENTS),
            runs: VecDeque::new(),
            next_run: 0,
            named: 0,
            desk,
        };
        let until = intake.desk.clock.now_ms().after(INTAKE_MS);
        let begin = || intake.call(&BEGIN).with(until.0);
        intake.desk.write(begin).await?;
        Ok(intake)
    }

    fn call(&self, statement: &'static Statement) -> Call {
        Call::of(statement)
            .with(self.app_no)
            .with(self.job_id.uuid())
    }

    /// A run with nothing in it yet.
    fn new_run(&mut self) -> Writing {
        let run = Run {
            app_no: self.app_no,
            job_id: self.job_id,
            number: self.next_run,
        };
        self.next_run += 1;
        Writing {
            run,
            recipients: 0,
            digest: RecipientsDigest::begin(),
        }
    }

    /// Stores what has come in since the last run as another one.
    async fn store_run(&mut self) -> Result<(), Error> {
        let mut recipients = mem::take(&mut self.unsorted);
        recipients.sort_unstable();
        recipients.dedup();
        let mut run = self.new_run();
        for part in recipients.chunks(WRITTEN_TOGETHER) {
            run.write(&self.desk, part).await?;
        }
        self.runs.push_back(run.end());
        recipients.clear();
        self.unsorted = recipients;
        Ok(())
    }

    /// Makes one run of some, which are forgotten.
    async fn merge(&mut self, runs: Vec<Stored>) -> Result<Stored, Error> {
        let mut merged = self.new_run();
        let mut merge = Merge::of(&self.desk.read, &runs).await?;
        let mut part = Vec::with_capacity(WRITTEN_TOGETHER);
        while let Some(recipient) = merge.next().await? {
            part.push(recipient);
            if part.len() == WRITTEN_TOGETHER {
                merged.write(&self.desk, &part).await?;
                part.clear();
            }
        }
        if !part.is_empty() {
            merged.write(&self.desk, &part).await?;
        }
        for stored in runs {
            let mut first = 0;
            while first < chunks(stored.recipients) {
                let end = first + FORGOTTEN_TOGETHER;
                self.desk.write(|| stored.run.forget(first, end)).await?;
                first = end;
            }
        }
        Ok(merged.end())
    }

    /// Makes all that was stored one run, and notes it.
    async fn seal(&mut self, all: Stored) -> Result<Recipients, Error> {
        let duplicates = self.named - all.recipients;
        let seal = || {
            self.call(&SEAL)
                .with(all.run.number)
                .with(all.recipients)
                .with(duplicates)
                .with(chunks(all.recipients))
        };
        if self.desk.write(seal).await? != 1 {
            return Err(lost());
        }
        Ok(Recipients {
            job_id: self.job_id,
            accepted: all.recipients,
            duplicates,
            digest: all.digest,
        })
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

    async fn finish(&mut self) -> Result<Recipients, Error> {
        if !self.unsorted.is_empty() || self.runs.is_empty() {
            self.store_run().await?;
        }
        while self.runs.len() > 1 {
            let next = merged_next(self.runs.len());
            let runs = self.runs.drain(..next).collect();
            let merged = self.merge(runs).await?;
            self.runs.push_back(merged);
        }
        match self.runs.front().copied() {
            Some(all) => self.seal(all).await,
            None => Err(lost()),
        }
    }
}

impl<DB: Backend> Drop for SegmentIntake<DB> {
    fn drop(&mut self) {
        self.desk.leave(self.app_no);
        let (desk, now): (_, Millis) = (Arc::clone(&self.desk), self.desk.clock.now_ms());
        let (app_no, job_id) = (self.app_no, self.job_id.uuid());
        let forget = move || Call::of(&FORGET).with(app_no).with(job_id).with(now.0);
        // If that fails too, it is forgotten when its time is over.
        tokio::spawn(async move { desk.write(forget).await });
    }
}

/// A run that is being written.
struct Writing {
    run: Run,
    recipients: i64,
    digest: RecipientsDigest,
}

impl Writing {
    /// Writes the next recipients: full chunks, but for the last of all.
    async fn write<DB: Backend>(
        &mut self,
        desk: &Desk<DB>,
        recipients: &[ProfileId],
    ) -> Result<(), Error> {
        let first_chunk = chunks(self.recipients);
        let expected = chunks(count(recipients.len()));
        let written = desk
            .write(|| self.run.write(first_chunk, recipients))
            .await?;
        if i64::try_from(written) != Ok(expected) {
            return Err(lost());
        }
        self.recipients += count(recipients.len());
        for recipient in recipients {
            self.digest.add(recipient);
        }
        Ok(())
    }

    fn end(&self) -> Stored {
        Stored {
            run: self.run,
            recipients: self.recipients,
            digest: self.digest.finish(),
        }
    }
}

/// How many of so many runs are merged next: as few as leave no more than can be merged at once.
fn merged_next(runs: usize) -> usize {
    if runs <= MERGED_AT_ONCE {
        return runs;
    }
    (runs - MERGED_AT_ONCE + 1).min(MERGED_AT_ONCE)
}

/// A number of recipients: at most [`domain::limits::SEGMENT_RECIPIENTS_MAX`].
fn count(recipients: usize) -> i64 {
    i64::try_from(recipients).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::limits::SEGMENT_RECIPIENTS_MAX;

    use super::*;

    #[test]
    fn runs_become_one_and_few_of_them_are_merged_more_than_twice() {
        let most = (SEGMENT_RECIPIENTS_MAX as usize).div_ceil(RUN_RECIPIENTS);
        for count in [2, 63, 64, 65, 127, 128, 200, most] {
            // Of each run, how often its recipients were merged.
            let mut runs = VecDeque::from(vec![0; count]);
            while runs.len() > 1 {
                let next = merged_next(runs.len());
                assert!((2..=MERGED_AT_ONCE).contains(&next), "{next} of {count}");
                let deepest = runs.drain(..next).max().unwrap_or(0);
                runs.push_back(deepest + 1);
            }
            let expected = if count <= MERGED_AT_ONCE { 1 } else { 2 };
            assert_eq!(runs, [expected], "{count}");
        }
    }
}
