//! Implicit leases of jobs: a step of a job reserves the next one for the same replica.
//!
//! The time of a job's last step is stored with the job. A replica that reads the time of its
//! own last step holds the lease; any other replica waits until the lease is over, so that two
//! of them rarely try the same step. Correctness does not depend on it: a step checks under the
//! lock of the job that it is still the next one.

use domain::Millis;
use domain::segment;

/// Returns whether a replica may run the next step of a job: its own last step was the job's, or
/// the lease is over, [`domain::limits::JOB_HELD_MS`] after the step by the clock of this replica.
pub fn is_available(last_step_ms: Millis, own_step_ms: Option<Millis>, now: Millis) -> bool {
    own_step_ms == Some(last_step_ms) || segment::is_left(last_step_ms, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Millis = Millis(1_000_000);

    #[test]
    fn a_lease_is_over_a_second_after_the_step_by_any_clock() {
        for (now, available) in [
            (STEP, false),
            (STEP.after(999), false),
            (STEP.after(1_000), true),
            (STEP.after(-999), false),
            (STEP.after(-3_600_000), true),
        ] {
            assert_eq!(is_available(STEP, None, now), available, "{now:?}");
            assert_eq!(is_available(STEP, Some(STEP.after(-1)), now), available);
        }
    }

    #[test]
    fn the_replica_of_the_last_step_needs_not_wait() {
        assert!(is_available(STEP, Some(STEP), STEP));
    }
}
