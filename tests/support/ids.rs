//! Message ids that are the same in every run.

use std::sync::{Mutex, PoisonError};

use domain::{MessageId, MessageIdSource, Millis};
use uuid::Builder;

/// `UUIDv7`s of the given time and a counter: the first, second, … id of two sources are
/// equal if they were asked for at the same times.
#[derive(Debug, Default)]
pub struct SequentialIds(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    ms: u64,
    count: u64,
}

impl MessageIdSource for SequentialIds {
    fn next(&self, now: Millis) -> MessageId {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.ms = last.ms.max(now.0.try_into().expect("a time after 1970"));
        last.count += 1;
        id(last.ms, last.count)
    }
}

fn id(ms: u64, count: u64) -> MessageId {
    let mut rest = [0; 10];
    // The first two bits of these eight bytes become the variant's; no count gets there.
    rest[2..].copy_from_slice(&count.to_be_bytes());
    MessageId::new(Builder::from_unix_timestamp_millis(ms, &rest).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sources_give_equal_ids_that_grow_and_tell_their_time() {
        let times = [5, 5, 7, 6, 7].map(Millis);
        let [one, other] = [SequentialIds::default(), SequentialIds::default()];
        let ids = times.map(|now| one.next(now));
        assert_eq!(ids, times.map(|now| other.next(now)));
        assert!(ids.is_sorted_by(|before, after| before < after), "{ids:?}");
        assert_eq!(
            ids.map(MessageId::time_ms),
            [5, 5, 7, 7, 7].map(|ms| Some(Millis(ms)))
        );
    }
}
