//! The real time, and real ids.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::number::saturating;
use domain::{MessageId, MessageIdSource, Millis};
use storage::Clock;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> Millis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis(saturating(since.as_millis()))
    }
}

/// `UUIDv7`s that never go back within this process, also if the clock does.
#[derive(Debug, Default)]
pub struct MonotonicIds(Mutex<ContextV7>);

impl MessageIdSource for MonotonicIds {
    fn next(&self, now_ms: Millis) -> MessageId {
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = u64::try_from(now_ms.0 / 1000).unwrap_or(0);
        let nanos = u32::try_from(now_ms.0 % 1000).unwrap_or(0) * 1_000_000;
        MessageId::new(Uuid::new_v7(Timestamp::from_unix(
            &*context, seconds, nanos,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_also_when_the_clock_goes_back() {
        let ids = MonotonicIds::default();
        let times = [1_000, 1_000, 900, 1_001, 1_001, 5].map(Millis);
        let made = times.map(|now| ids.next(now));
        assert!(made.is_sorted_by(|one, other| one < other), "{made:?}");
        assert_eq!(made[0].time_ms(), Some(Millis(1_000)));
    }
}
