//! The app stops a send job: recipients that it has not reached get nothing.

use super::{Apply, Footprint, Weight};
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::segment::{JobId, JobReport, SendJob};

/// Stops a send job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelSendJob {
    /// Job to stop.
    pub job_id: JobId,
}

impl Apply for CancelSendJob {
    /// Progress of the job when it was stopped.
    type Outcome = JobReport;

    fn footprint(&self) -> Footprint {
        Footprint::of_job(self.job_id)
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<JobReport, Refusal> {
        let due = ledger.due();
        let is_live = |job: &&SendJob| job.expire_ms > due;
        let report = |ledger: &Ledger| {
            let job = ledger.job(self.job_id).filter(is_live);
            job.and_then(SendJob::report)
        };
        report(ledger).ok_or(Refusal::NotFound)?;
        ledger.change_job(self.job_id, SendJob::stop);
        report(ledger).ok_or(Refusal::NotFound)
    }
}
