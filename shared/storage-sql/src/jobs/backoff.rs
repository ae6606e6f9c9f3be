//! Exponential backoff of a failing job.

use std::time::{Duration, Instant};

/// Delay after the first failure of a job.
const DELAY_MIN: Duration = Duration::from_secs(1);
/// Longest delay between two attempts.
const DELAY_MAX: Duration = Duration::from_mins(5);
/// Largest exponent: `DELAY_MIN << 16` is far beyond [`DELAY_MAX`].
const DOUBLINGS_MAX: u32 = 16;

/// Backoff of one job on this replica. The delay doubles with each failure of the job itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Returns whether the job has to wait at `now`.
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Starts a delay. A failure of the database says nothing about the job, and does not double
    /// the next delay.
    pub fn start(&mut self, now: Instant, is_fault_of_job: bool) {
        let delay = DELAY_MIN * 2_u32.saturating_pow(self.failures.min(DOUBLINGS_MAX));
        self.until = Some(now + delay.min(DELAY_MAX));
        self.failures += u32::from(is_fault_of_job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from a failure until the job may run again.
    fn delay_s(backoff: &mut Backoff, is_fault_of_job: bool) -> u64 {
        let now = Instant::now();
        backoff.start(now, is_fault_of_job);
        let waits = |seconds: &u64| backoff.is_waiting(now + Duration::from_secs(*seconds));
        (0..1_000).find(|seconds| !waits(seconds)).unwrap_or(1_000)
    }

    #[test]
    fn the_delay_doubles_with_each_failure_of_the_job_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        assert!(!backoff.is_waiting(Instant::now()));
        let delays: Vec<u64> = (0..11).map(|_| delay_s(&mut backoff, true)).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn a_failure_of_the_database_does_not_double_the_delay() {
        let mut backoff = Backoff::default();
        let delays = [false, false, true, false, false].map(|is| delay_s(&mut backoff, is));
        assert_eq!(delays, [1, 1, 1, 2, 2]);
    }
}
