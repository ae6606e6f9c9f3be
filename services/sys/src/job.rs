//! Jobs in answers and requests.

use domain::Violations;
use domain::segment::{ChangeReport, JobCounts, JobId, JobState};
use proto::sys::v1::{SendJobChange, SendJobCounts, SendJobState, send_job_change};

/// The id of one job, in `job_id`. A text that is no UUID names no job.
pub fn id(text: &str, violations: &mut Violations) -> JobId {
    if text.is_empty() {
        violations.invalid("job_id", "must not be empty");
    }
    JobId::parse(text).unwrap_or(JobId::NONE)
}

/// What has become of the recipients.
pub const fn counts(counts: &JobCounts) -> SendJobCounts {
    SendJobCounts {
        accepted: counts.accepted,
        duplicates: counts.duplicates,
        delivered: counts.delivered,
        full: counts.full,
        failed: counts.failed,
    }
}

/// What a job is doing. While it is being filled, nobody knows of it.
pub const fn state(state: JobState) -> SendJobState {
    match state {
        JobState::Filling => SendJobState::Unspecified,
        JobState::Running => SendJobState::Running,
        JobState::Done => SendJobState::Done,
        JobState::Cancelled => SendJobState::Cancelled,
    }
}

/// How far the last change of its message is.
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
