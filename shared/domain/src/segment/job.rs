//! What sends one message to a segment, chunk by chunk.

use serde::{Deserialize, Serialize};

use super::{JobId, Recipients};
use crate::bulk::Turn;
use crate::id::MessageId;
use crate::limits::CHUNK_RECIPIENTS;
use crate::time::Millis;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobState {
    /// Its recipients are being stored; there is no message yet.
    #[serde(rename = "f")]
    Filling,
    /// It delivers.
    #[serde(rename = "r")]
    Running,
    /// Every recipient had their turn.
    #[serde(rename = "d")]
    Done,
    /// It was stopped before that.
    #[serde(rename = "c")]
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

/// What has become of the recipients. At the end `accepted` is the sum of `delivered`, `full`
/// and `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// Distinct recipients.
    #[serde(rename = "a")]
    pub accepted: i64,
    /// How often somebody was named again.
    #[serde(rename = "u")]
    pub duplicates: i64,
    /// Inboxes that took the message.
    #[serde(rename = "d")]
    pub delivered: i64,
    /// Inboxes that were full.
    #[serde(rename = "b")]
    pub full: i64,
    /// Recipients whose turn never came.
    #[serde(rename = "f")]
    pub failed: i64,
}

/// A change of the message, on its way to the boxes that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobChange {
    /// What became of the message: anything but that it was sent.
    pub turn: Turn,
    /// The next chunk that takes it.
    pub next_chunk: i64,
    /// The first chunk that need not: it had not had its turn when the message changed.
    pub end_chunk: i64,
}

/// One chunk's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What it takes.
    pub turn: Turn,
    /// Which chunk.
    pub chunk_no: i64,
}

/// What sends one message to a segment, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendJob {
    /// Which.
    pub job_id: JobId,
    /// Its message; none yet while it is being filled.
    pub message_id: Option<MessageId>,
    /// What it is doing.
    pub state: JobState,
    /// Under which number its chunks are stored.
    pub run_no: i64,
    /// The next chunk that the message is delivered to.
    pub next_chunk: i64,
    /// What has become of the recipients.
    pub counts: JobCounts,
    /// The last change of the message, if a box had to take it.
    pub change: Option<JobChange>,
    /// When it took its last step; 0: nobody is at it.
    pub step_ms: Millis,
    /// When it is forgotten, with its chunks.
    pub expire_ms: Millis,
}

impl SendJob {
    /// What it has to do next, if anything. A change comes before deliveries: whoever has the
    /// message is to know.
    #[must_use]
    pub fn next_step(&self) -> Option<Step> {
        let change = self.change.filter(|it| it.next_chunk < it.end_chunk);
        let step = |turn, chunk_no| Step { turn, chunk_no };
        match change {
            Some(change) => Some(step(change.turn, change.next_chunk)),
            None if self.state == JobState::Running => Some(step(Turn::Sent, self.next_chunk)),
            None => None,
        }
    }

    /// When a step that it takes at a time is taken.
    #[must_use]
    pub fn step_time(&self, now: Millis) -> Millis {
        now.max(self.step_ms.after(1))
    }

    /// Begins to deliver a message to recipients.
    pub fn launch(&mut self, message_id: MessageId, to: &Recipients, expire_ms: Millis) {
        self.message_id = Some(message_id);
        self.state = JobState::Running;
        self.run_no = to.run_no;
        self.counts.accepted = to.accepted;
        self.counts.duplicates = to.duplicates;
        self.expire_ms = expire_ms;
    }

    /// The next chunk had its turn: so many of its inboxes took the message, and so many were
    /// full.
    pub fn deliver(&mut self, delivered: i64, full: i64) {
        self.next_chunk += 1;
        self.counts.delivered += delivered;
        self.counts.full += full;
        if self.next_chunk >= chunks(self.counts.accepted) {
            self.state = JobState::Done;
        }
    }

    /// The next chunk has taken the change.
    pub fn take_change(&mut self) {
        if let Some(change) = &mut self.change {
            change.next_chunk += 1;
        }
    }

    /// Does no more of anything, such as when the message has expired.
    pub fn end(&mut self) {
        self.stop();
        if let Some(change) = &mut self.change {
            change.next_chunk = change.end_chunk;
        }
    }

    /// Delivers to nobody more.
    pub fn stop(&mut self) {
        if self.state == JobState::Running {
            self.state = JobState::Cancelled;
            let counts = &mut self.counts;
            counts.failed = counts.accepted - counts.delivered - counts.full;
        }
    }

    /// The message has changed: whoever has it is to take that. What they have not taken yet
    /// of an earlier change is in it.
    pub fn change(&mut self, turn: Turn) {
        if turn == Turn::Recalled {
            self.stop();
        }
        if self.next_step().is_none() {
            // Nobody is at it: whoever comes first may take it.
            self.step_ms = Millis(0);
        }
        if self.next_chunk > 0 {
            self.change = Some(JobChange {
                turn,
                next_chunk: 0,
                end_chunk: self.next_chunk,
            });
        }
    }

    /// How many recipients the chunks before that one have together.
    #[must_use]
    pub fn recipients_before(&self, chunk_no: i64) -> i64 {
        (chunk_no * CHUNK_RECIPIENTS_I64).min(self.counts.accepted)
    }

    /// What is told of it; none while it is being filled.
    #[must_use]
    pub fn report(&self) -> Option<JobReport> {
        let reached = |change: JobChange| ChangeReport {
            is_recall: change.turn == Turn::Recalled,
            reached: self.recipients_before(change.next_chunk),
            total: self.recipients_before(change.end_chunk),
        };
        Some(JobReport {
            job_id: self.job_id,
            message_id: self.message_id?,
            state: self.state,
            counts: self.counts,
            change: self.change.map(reached),
        })
    }
}

/// What is told of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// Which.
    #[serde(rename = "j")]
    pub job_id: JobId,
    /// Its message.
    #[serde(rename = "i")]
    pub message_id: MessageId,
    /// What it is doing.
    #[serde(rename = "s")]
    pub state: JobState,
    /// What has become of the recipients.
    #[serde(rename = "c")]
    pub counts: JobCounts,
    /// How far the last change of the message is.
    #[serde(rename = "h")]
    pub change: Option<ChangeReport>,
}

/// How far a change of a segment's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// Whether the message was deleted; else it says something else.
    #[serde(rename = "r")]
    pub is_recall: bool,
    /// Recipients whose boxes have taken it.
    #[serde(rename = "n")]
    pub reached: i64,
    /// Recipients whose boxes have to.
    #[serde(rename = "t")]
    pub total: i64,
}

#[expect(clippy::cast_possible_wrap, reason = "a few hundred")]
const CHUNK_RECIPIENTS_I64: i64 = CHUNK_RECIPIENTS as i64;

/// How many chunks so many recipients are.
const fn chunks(recipients: i64) -> i64 {
    (recipients + CHUNK_RECIPIENTS_I64 - 1) / CHUNK_RECIPIENTS_I64
}

#[cfg(test)]
mod tests;
