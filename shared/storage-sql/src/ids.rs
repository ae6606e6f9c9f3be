//! Ids of messages.

use std::sync::{Mutex, PoisonError};

use domain::{MessageId, MessageIdSource, Millis};
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// `UUIDv7`s that grow within this process, unless its clock goes back by more than a second.
#[derive(Debug, Default)]
pub struct MonotonicIds(Mutex<LastId>);

/// State of the last id.
#[derive(Debug, Default)]
struct LastId {
    context: ContextV7,
    time: Millis,
}

impl MessageIdSource for MonotonicIds {
    fn next(&self, now: Millis) -> MessageId {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let time = now.not_before(last.time);
        if time < last.time {
            // It would go on at the time of its last id.
            last.context = ContextV7::default();
        }
        last.time = time;
        let seconds = u64::try_from(time.0 / 1000).unwrap_or(0);
        let nanos = u32::try_from(time.0 % 1000).unwrap_or(0) * 1_000_000;
        MessageId::new(Uuid::new_v7(Timestamp::from_unix(
            &last.context,
            seconds,
            nanos,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_also_when_the_clock_goes_back_a_little() {
        let ids = MonotonicIds::default();
        let times = [5_000, 5_000, 4_900, 5_001, 5_001, 4_001].map(Millis);
        let made = times.map(|now| ids.next(now));
        assert!(made.is_sorted_by(|one, other| one < other), "{made:?}");
        assert_eq!(made[0].time_ms(), Some(Millis(5_000)));
    }

    #[test]
    fn ids_go_back_with_a_clock_that_was_wrong() {
        let ids = MonotonicIds::default();
        for now in [1_000_000, 5_000, 5_001].map(Millis) {
            assert_eq!(ids.next(now).time_ms(), Some(now));
        }
    }
}
