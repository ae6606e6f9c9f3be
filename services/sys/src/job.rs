//! Send jobs in requests and responses.

use domain::Violations;
use domain::segment::{ChangeReport, JobCounts, JobId, JobState};
use proto::sys::v1::{SendJobChange, SendJobCounts, SendJobState, send_job_change};

/// Parses the `job_id` of a request. A text that is no UUID names no job.
pub fn id(text: &str, violations: &mut Violations) -> JobId {
    if text.is_empty() {
        violations.invalid("job_id", "must not be empty");
    }
    JobId::parse(text).unwrap_or(JobId::NONE)
}

/// Returns the counts of a job's recipients.
pub const fn counts(counts: &JobCounts) -> SendJobCounts {
    SendJobCounts {
        accepted: counts.accepted,
        duplicates: counts.duplicates,
        delivered: counts.delivered,
        full: counts.full,
        failed: counts.failed,
    }
}

/// Returns the state of a job. A job whose recipients are still arriving is not visible.
pub const fn state(state: JobState) -> SendJobState {
    match state {
        JobState::Filling => SendJobState::Unspecified,
        JobState::Running => SendJobState::Running,
        JobState::Done => SendJobState::Done,
        JobState::Cancelled => SendJobState::Cancelled,
    }
}

/// Returns the progress of the last change of a job's message.
pub fn change(change: &ChangeReport) -> SendJobChange {
    let kind = if change.is_recall {
        send_job_change::Kind::Deleted
    } else {
        send_job_change::Kind::Updated
    };
    SendJobChange {
        kind: kind.into(),
        reached: change.reached,
        total: change.total,
    }
}
