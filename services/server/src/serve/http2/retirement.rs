//! The end of connections that nobody uses, or that are old.

use std::time::Duration;

use tokio::time::Instant;

use super::calls::CallCounts;
use crate::limits::{
    CONNECTION_AGE_MAX, CONNECTION_AGE_MIN, FIRST_CALL_TIMEOUT, IDLE_TIMEOUT, INCOMPLETE_TIMEOUT,
};

/// Progress of a connection towards its end.
pub struct Retirement {
    calls: CallCounts,
    /// Calls that had been started at the last check.
    calls_seen: u64,
    /// Time since which no call is open; `None` while one is.
    idle_since: Option<Instant>,
    /// End of the connection's life, with a jitter, so that connections that were opened together
    /// do not end together.
    old_at: Instant,
    /// Time at which the peer was told to leave.
    told: Option<Instant>,
}

/// Step that is due for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetirementStep {
    /// None.
    Stay,
    /// Telling the peer to take its next calls to another connection.
    Tell,
    /// Closing the connection, which its peer has not left.
    Close,
}

impl Retirement {
    pub fn new(calls: CallCounts) -> Self {
        let now = Instant::now();
        let age_s = rand::random_range(CONNECTION_AGE_MIN.as_secs()..=CONNECTION_AGE_MAX.as_secs());
        Self {
            calls,
            calls_seen: 0,
            idle_since: Some(now),
            old_at: now + Duration::from_secs(age_s),
            told: None,
        }
    }

    /// Time since which no call is open, as of the last check.
    pub const fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }

    /// Returns the step that is due.
    pub fn check(&mut self, now: Instant) -> RetirementStep {
        let calls = self.calls.started();
        if !self.calls.is_idle() {
            self.idle_since = None;
        } else if self.idle_since.is_none() || calls != self.calls_seen {
            self.idle_since = Some(now);
        }
        self.calls_seen = calls;
        let is_idle_for = |time: Duration| {
            self.idle_since
                .is_some_and(|since| now.duration_since(since) >= time)
        };
        let idle_max = if calls == 0 {
            FIRST_CALL_TIMEOUT
        } else {
            IDLE_TIMEOUT
        };
        match self.told {
            None if is_idle_for(idle_max) || now >= self.old_at => {
                self.told = Some(now);
                RetirementStep::Tell
            }
            Some(told)
                if is_idle_for(INCOMPLETE_TIMEOUT)
                    && now.duration_since(told) >= INCOMPLETE_TIMEOUT =>
            {
                RetirementStep::Close
            }
            None | Some(_) => RetirementStep::Stay,
        }
    }
}
