//! Bound of the control frames of a connection: a token bucket that its calls fill, too.

use tokio::time::Instant;

use crate::limits::{
    CONTROL_FRAMES_BURST, CONTROL_FRAMES_EARNED_MAX, CONTROL_FRAMES_PER_FRAME,
    CONTROL_FRAMES_PER_SECOND,
};

/// Control frames that a peer may still send.
#[derive(Debug)]
pub struct ControlBudget {
    left: u32,
    refilled_at: Instant,
}

impl ControlBudget {
    pub const fn new(now: Instant) -> Self {
        Self {
            left: CONTROL_FRAMES_BURST,
            refilled_at: now,
        }
    }

    /// Adds the control frames that a frame of a call justifies: updates of two windows, a ping, an
    /// empty end.
    pub fn earn(&mut self) {
        let left = self.left + CONTROL_FRAMES_PER_FRAME;
        self.left = left.min(CONTROL_FRAMES_EARNED_MAX);
    }

    /// Takes a control frame; returns whether it was within the budget.
    pub fn spend(&mut self, now: Instant) -> bool {
        if self.left == 0 {
            let seconds = now.duration_since(self.refilled_at).as_secs_f64();
            let frames = seconds * f64::from(CONTROL_FRAMES_PER_SECOND);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bounded"
            )]
            let frames = frames.min(f64::from(CONTROL_FRAMES_BURST)) as u32;
            self.left = frames;
            self.refilled_at = now;
        }
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Number of frames until one is beyond the budget.
    fn spent(budget: &mut ControlBudget, now: Instant) -> u32 {
        let mut frames = 0;
        while budget.spend(now) {
            frames += 1;
        }
        frames
    }

    #[test]
    fn a_budget_grows_with_time_to_its_burst() {
        let start = Instant::now();
        let mut budget = ControlBudget::new(start);
        assert_eq!(spent(&mut budget, start), CONTROL_FRAMES_BURST);
        let second = start + Duration::from_secs(1);
        assert_eq!(spent(&mut budget, second), CONTROL_FRAMES_PER_SECOND);
        let hour = start + Duration::from_hours(1);
        assert_eq!(spent(&mut budget, hour), CONTROL_FRAMES_BURST);
    }

    #[test]
    fn a_budget_grows_with_frames_of_calls_to_its_maximum() {
        let now = Instant::now();
        let mut budget = ControlBudget::new(now);
        budget.earn();
        let earned = CONTROL_FRAMES_BURST + CONTROL_FRAMES_PER_FRAME;
        assert_eq!(spent(&mut budget, now), earned);
        for _ in 0..CONTROL_FRAMES_EARNED_MAX {
            budget.earn();
        }
        assert_eq!(spent(&mut budget, now), CONTROL_FRAMES_EARNED_MAX);
    }
}
