//! External merge sort of a segment's recipients: sorted runs are stored, then merged into one.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ProfileId;
use domain::limits::{CHUNK_RECIPIENTS, INTAKE_MS};
use domain::number::saturating;
use domain::segment::{JobId, Recipients, RecipientsDigest, chunks};
use storage::{Error, RecipientUpload};
use uuid::Uuid;

use super::chunks::{Run, StoredRun, lost};
use super::run_merge::RunMerge;
use super::upload_slots::UploadSlots;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::statement::Statement;

/// Number of recipients sorted in memory at a time: the length of an initial run. About 1 MiB.
const RUN_RECIPIENTS: usize = 16_384;
/// Maximum number of runs merged at a time; one chunk of each is in memory.
const MERGED_AT_ONCE: usize = 64;
/// Number of recipients written in one transaction; bounds the wait of other writers on `SQLite`.
const WRITTEN_TOGETHER: usize = 16 * CHUNK_RECIPIENTS;
/// Number of chunks deleted in one transaction.
const FORGOTTEN_TOGETHER: i64 = 64;

pub static BEGIN: Statement = Statement::new(
    "send_job.create",
    3,
    "INSERT INTO send_job (app_no, job_id, expire_ms) VALUES ($1, $2, $3)",
);

/// Stores which run holds the recipients, if all of its chunks are there.
pub static SEAL: Statement = Statement::new(
    "send_job.seal",
    6,
    "UPDATE send_job SET run_no = $3, accepted = $4, duplicates = $5
     WHERE app_no = $1 AND job_id = $2 AND state = 0 AND $6 = (
         SELECT count(*) FROM send_chunk c
         WHERE c.app_no = $1 AND c.job_id = $2 AND c.run_no = $3
     )",
);

/// Expires the upload at once, unless its message has been sent; the sweep deletes it.
pub static FORGET: Statement = Statement::new(
    "send_job.abandon",
    3,
    "UPDATE send_job SET expire_ms = $3 WHERE app_no = $1 AND job_id = $2 AND state = 0",
);

/// An upload of a segment's recipients.
pub struct RecipientSort<DB: Backend> {
    slots: Arc<UploadSlots<DB>>,
    app_no: i64,
    job_id: JobId,
    /// Recipients of the next run.
    unsorted: Vec<ProfileId>,
    runs: VecDeque<StoredRun>,
    /// Number of the next run.
    next_run: i64,
    named: i64,
}

impl<DB: Backend> RecipientSort<DB> {
    /// Begins an upload, in a free slot.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if no slot is free, for this app or at all.
    pub async fn begin(slots: &Arc<UploadSlots<DB>>, app_no: i64) -> Result<Self, Error> {
        slots.take(app_no)?;
        let intake = Self {
            app_no,
            job_id: JobId::new(Uuid::now_v7()),
            unsorted: Vec::with_capacity(RUN_RECIPIENTS),
            runs: VecDeque::new(),
            next_run: 0,
            named: 0,
            slots: Arc::clone(slots),
        };
        let until = intake.slots.clock.now()?.ms.after(INTAKE_MS);
        let begin = || intake.call(&BEGIN).bind(until.0);
        intake.slots.write(begin).await?;
        Ok(intake)
    }

    fn call(&self, statement: &'static Statement) -> BoundStatement {
        BoundStatement::of(statement)
            .bind(self.app_no)
            .bind(self.job_id.uuid())
    }

    /// Starts an empty run.
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

    /// Sorts and stores the collected recipients as a run.
    async fn store_run(&mut self) -> Result<(), Error> {
        let mut recipients = mem::take(&mut self.unsorted);
        recipients.sort_unstable();
        recipients.dedup();
        let mut run = self.new_run();
        for part in recipients.chunks(WRITTEN_TOGETHER) {
            run.write(&self.slots, part).await?;
        }
        self.runs.push_back(run.end());
        recipients.clear();
        self.unsorted = recipients;
        Ok(())
    }

    /// Merges runs into one, and deletes them.
    async fn merge(&mut self, runs: Vec<StoredRun>) -> Result<StoredRun, Error> {
        let mut merged = self.new_run();
        let mut merge = RunMerge::of(&self.slots.read, &runs).await?;
        let mut part = Vec::with_capacity(WRITTEN_TOGETHER);
        while let Some(recipient) = merge.next().await? {
            part.push(recipient);
            if part.len() == WRITTEN_TOGETHER {
                merged.write(&self.slots, &part).await?;
                part.clear();
            }
        }
        if !part.is_empty() {
            merged.write(&self.slots, &part).await?;
        }
        for stored in runs {
            let mut first = 0;
            while first < chunks(stored.recipients) {
                let end = first + FORGOTTEN_TOGETHER;
                self.slots.write(|| stored.run.forget(first, end)).await?;
                first = end;
            }
        }
        Ok(merged.end())
    }

    /// Completes the upload with its only run.
    async fn seal(&mut self, all: StoredRun) -> Result<Recipients, Error> {
        let duplicates = self.named - all.recipients;
        let seal = || {
            self.call(&SEAL)
                .bind(all.run.number)
                .bind(all.recipients)
                .bind(duplicates)
                .bind(chunks(all.recipients))
        };
        if self.slots.write(seal).await? != 1 {
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
impl<DB: Backend> RecipientUpload for RecipientSort<DB> {
    async fn add(&mut self, recipients: Vec<ProfileId>) -> Result<(), Error> {
        self.named += saturating::<i64, _>(recipients.len());
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

impl<DB: Backend> Drop for RecipientSort<DB> {
    fn drop(&mut self) {
        self.slots.release(self.app_no);
        let slots = Arc::clone(&self.slots);
        let Ok(now) = slots.clock.now() else {
            return;
        };
        let (app_no, job_id) = (self.app_no, self.job_id.uuid());
        let forget = move || {
            BoundStatement::of(&FORGET)
                .bind(app_no)
                .bind(job_id)
                .bind(now.ms.0)
        };
        // If this fails, the upload expires after `INTAKE_MS`.
        tokio::spawn(async move { slots.write(forget).await });
    }
}

/// A run being written.
struct Writing {
    run: Run,
    recipients: i64,
    digest: RecipientsDigest,
}

impl Writing {
    /// Appends recipients: a multiple of the chunk size, except in the last call.
    async fn write<DB: Backend>(
        &mut self,
        slots: &UploadSlots<DB>,
        recipients: &[ProfileId],
    ) -> Result<(), Error> {
        let first_chunk = chunks(self.recipients);
        let expected = chunks(saturating::<i64, _>(recipients.len()));
        let written = slots
            .write(|| self.run.write(first_chunk, recipients))
            .await?;
        if i64::try_from(written) != Ok(expected) {
            return Err(lost());
        }
        self.recipients += saturating::<i64, _>(recipients.len());
        for recipient in recipients {
            self.digest.add(recipient);
        }
        Ok(())
    }

    fn end(&self) -> StoredRun {
        StoredRun {
            run: self.run,
            recipients: self.recipients,
            digest: self.digest.finish(),
        }
    }
}

/// Returns how many of `runs` to merge next: the fewest that leave at most [`MERGED_AT_ONCE`], so
/// that few recipients are merged twice.
fn merged_next(runs: usize) -> usize {
    if runs <= MERGED_AT_ONCE {
        return runs;
    }
    (runs - MERGED_AT_ONCE + 1).min(MERGED_AT_ONCE)
}

#[cfg(test)]
mod tests {
    use domain::limits::SEGMENT_RECIPIENTS_MAX;

    use super::*;

    #[test]
    fn merging_yields_one_run_and_merges_no_recipient_more_than_twice() {
        let most = (SEGMENT_RECIPIENTS_MAX as usize).div_ceil(RUN_RECIPIENTS);
        for count in [2, 63, 64, 65, 127, 128, 200, most] {
            // The number of merges of each run so far.
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
