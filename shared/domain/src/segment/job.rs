//! Send job: delivers one message to a segment, chunk by chunk.

use serde::{Deserialize, Serialize};

use super::JobId;
use crate::bulk::MessageChange;
use crate::id::MessageId;
use crate::limits::{CHUNK_RECIPIENTS, JOB_HELD_MS};
use crate::time::Millis;

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobState {
    /// Recipients are being uploaded; there is no message yet.
    Filling,
    /// The job delivers.
    Running,
    /// All chunks were delivered.
    Done,
    /// The job was stopped before all chunks were delivered.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 4] = [Self::Filling, Self::Running, Self::Done, Self::Cancelled];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Filling => 0,
            Self::Running => 1,
            Self::Done => 2,
            Self::Cancelled => 3,
        }
    }

    /// The state of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Numbers of recipients by result. At the end `accepted` is the sum of `delivered`, `full`
/// and `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// Distinct recipients.
    pub accepted: i64,
    /// Number of duplicates.
    pub duplicates: i64,
    /// Inboxes that took the message.
    pub delivered: i64,
    /// Inboxes that were full.
    pub full: i64,
    /// Recipients to whom the job no longer delivers.
    pub failed: i64,
}

/// Progress of a change of the message through the delivered chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobChange {
    /// Change of the message: an update or a recall.
    pub kind: MessageChange,
    /// The next chunk to apply it to; the first follows the last.
    pub next_chunk: i64,
    /// Number of chunks that were delivered when the message changed.
    pub chunks: i64,
    /// Number of chunks that have not applied the change.
    pub left: i64,
    /// True if a delivery precedes the next chunk of the change.
    pub waits: bool,
}

impl JobChange {
    /// Numbers of recipients that a change has reached, and has to reach.
    fn report(&self, job: &SendJob) -> ChangeReport {
        let total = job.recipients_before(self.chunks);
        let past_end = self.next_chunk + self.left - self.chunks;
        let left = if past_end <= 0 {
            job.recipients_before(self.next_chunk + self.left)
                - job.recipients_before(self.next_chunk)
        } else {
            total - job.recipients_before(self.next_chunk) + job.recipients_before(past_end)
        };
        ChangeReport {
            is_recall: self.kind == MessageChange::Recalled,
            reached: total - left,
            total,
        }
    }
}

/// Step of a job: one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Change to apply to the chunk.
    pub change: MessageChange,
    /// Number of the chunk.
    pub chunk_no: i64,
}

/// Send job with its progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendJob {
    /// Id of the job.
    pub job_id: JobId,
    /// Message of the job; none during the upload.
    pub message_id: Option<MessageId>,
    /// State of the job.
    pub state: JobState,
    /// Run number of its stored chunks.
    pub run_no: i64,
    /// The next chunk to deliver to.
    pub next_chunk: i64,
    /// Numbers of recipients by result.
    pub counts: JobCounts,
    /// The last change of the message, if chunks had been delivered.
    pub change: Option<JobChange>,
    /// Time of the last step, unique among the steps of the job.
    pub step_ms: Millis,
    /// Expiry of the job and its chunks.
    pub expire_ms: Millis,
}

impl SendJob {
    /// Returns the next step, if there is one. Changes and deliveries alternate.
    #[must_use]
    pub fn next_step(&self) -> Option<Step> {
        let delivers = self.state == JobState::Running;
        match self.change.filter(|change| change.left > 0) {
            Some(change) if !(delivers && change.waits) => Some(Step {
                change: change.kind,
                chunk_no: change.next_chunk,
            }),
            _ if delivers => Some(Step {
                change: MessageChange::Sent,
                chunk_no: self.next_chunk,
            }),
            _ => None,
        }
    }

    /// Releases the job, so that any replica may run the next step.
    fn release(&mut self, now: Millis) {
        self.step_ms = now.after(-JOB_HELD_MS);
    }

    /// Returns the time to record for a step that is run now: never that of the last one.
    #[must_use]
    pub fn step_time(&self, now: Millis) -> Millis {
        if now == self.step_ms {
            now.after(1)
        } else {
            now
        }
    }

    /// Starts the delivery of a message.
    pub fn start(&mut self, message_id: MessageId, expire_ms: Millis, now: Millis) {
        self.message_id = Some(message_id);
        self.state = JobState::Running;
        self.expire_ms = expire_ms;
        self.release(now);
    }

    /// Records the delivery of the next chunk: the numbers of inboxes that took the message and
    /// of those that were full.
    pub fn deliver(&mut self, delivered: i64, full: i64) {
        self.next_chunk += 1;
        self.counts.delivered += delivered;
        self.counts.full += full;
        if let Some(change) = &mut self.change {
            change.waits = false;
        }
        if self.next_chunk >= chunks(self.counts.accepted) {
            self.state = JobState::Done;
        }
    }

    /// Records that the change was applied to its next chunk.
    pub fn take_change(&mut self) {
        if let Some(change) = &mut self.change {
            change.next_chunk = (change.next_chunk + 1) % change.chunks;
            change.left -= 1;
            change.waits = true;
        }
    }

    /// Stops deliveries and changes, such as when the message has expired.
    pub fn end(&mut self) {
        self.stop();
        if let Some(change) = &mut self.change {
            change.left = 0;
        }
    }

    /// Stops deliveries.
    pub fn stop(&mut self) {
        if self.state == JobState::Running {
            self.state = JobState::Cancelled;
            let counts = &mut self.counts;
            counts.failed = counts.accepted - counts.delivered - counts.full;
        }
    }

    /// Schedules a change of the message for all delivered chunks. It replaces an earlier change
    /// that is not applied everywhere, and continues at the chunk where that one was: otherwise
    /// frequent changes would never reach the last chunks.
    pub fn change(&mut self, kind: MessageChange, now: Millis) {
        if kind == MessageChange::Recalled {
            self.stop();
        }
        if self.next_step().is_none() {
            self.release(now);
        }
        if self.next_chunk > 0 {
            let earlier = self.change.filter(|change| change.left > 0);
            self.change = Some(JobChange {
                kind,
                next_chunk: earlier.map_or(0, |change| change.next_chunk),
                chunks: self.next_chunk,
                left: self.next_chunk,
                waits: self.change.is_some_and(|change| change.waits),
            });
        }
    }

    /// Returns the number of recipients in the chunks before that one.
    fn recipients_before(&self, chunk_no: i64) -> i64 {
        (chunk_no * CHUNK_RECIPIENTS_I64).min(self.counts.accepted)
    }

    /// Returns the report of the job; none during the upload.
    #[must_use]
    pub fn report(&self) -> Option<JobReport> {
        Some(JobReport {
            job_id: self.job_id,
            message_id: self.message_id?,
            state: self.state,
            counts: self.counts,
            change: self.change.map(|change| change.report(self)),
        })
    }
}

/// Returns true if a job is free for any replica: its last step is at least a second ago, or, by
/// another clock, a second ahead.
#[must_use]
pub const fn is_left(step_ms: Millis, now: Millis) -> bool {
    now.0.abs_diff(step_ms.0) >= JOB_HELD_MS.unsigned_abs()
}

/// Report on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// Id of the job.
    pub job_id: JobId,
    /// Message of the job.
    pub message_id: MessageId,
    /// State of the job.
    pub state: JobState,
    /// Numbers of recipients by result.
    pub counts: JobCounts,
    /// Progress of the last change of the message.
    pub change: Option<ChangeReport>,
}

/// Progress of a change of a segment's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// True if the message was deleted, false if its content was replaced.
    pub is_recall: bool,
    /// Number of recipients that the change has reached.
    pub reached: i64,
    /// Number of recipients that it has to reach.
    pub total: i64,
}

#[expect(clippy::cast_possible_wrap, reason = "a few hundred")]
const CHUNK_RECIPIENTS_I64: i64 = CHUNK_RECIPIENTS as i64;

/// Returns the number of chunks for so many recipients.
#[must_use]
pub const fn chunks(recipients: i64) -> i64 {
    (recipients + CHUNK_RECIPIENTS_I64 - 1) / CHUNK_RECIPIENTS_I64
}

#[cfg(test)]
mod tests;
