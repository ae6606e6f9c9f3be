//! The app stops a job: whose turn has not come gets nothing.

use super::Footprint;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::segment::{JobId, JobReport, SendJob};

/// Stops a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopJob {
    /// Which.
    pub job_id: JobId,
}

impl StopJob {
    pub(super) fn footprint(self) -> Footprint {
        Footprint::of_job(self.job_id)
    }

    /// How far it came.
    pub(super) fn apply(self, ledger: &mut Ledger) -> Result<JobReport, Refusal> {
        let now = ledger.now();
        let is_there = |job: &&SendJob| job.expire_ms > now;
        let report = |ledger: &Ledger| {
            let job = ledger.job(self.job_id).filter(is_there);
            job.and_then(SendJob::report)
        };
        report(ledger).ok_or(Refusal::NotFound)?;
        ledger.change_job(self.job_id, SendJob::stop);
        report(ledger).ok_or(Refusal::NotFound)
    }
}
