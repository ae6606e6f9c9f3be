//! Sizes in responses, which are measured as they are sent, and in memory.

use domain::{Message, ProfileId};
use prost::length_delimiter_len;

/// Size of a recipient in memory without its text, in bytes: pointer, reference counts, and the
/// allocator's overhead.
const RECIPIENT_HELD_BYTES: usize = 48;
/// Size of the tag of an item in a response, in bytes.
const TAG_BYTES: usize = 1;
/// Divisor of a content's size that yields the allocator's maximum overhead.
const ROUNDED_UP: usize = 4;

/// Size of an item of a response, in bytes, with its tag and length.
#[must_use]
pub fn sent(item: &impl prost::Message) -> usize {
    let bytes = item.encoded_len();
    TAG_BYTES + length_delimiter_len(bytes) + bytes
}

/// Returns true if a response has room for few more items, so that no further read is made for
/// it: it is at least half full.
pub fn is_filled<'a, T: prost::Message + 'a>(
    items: impl IntoIterator<Item = &'a T>,
    bytes_max: usize,
) -> bool {
    items.into_iter().map(sent).sum::<usize>() >= bytes_max / 2
}

/// Size of a message in memory with its encoded content, in bytes, rounded up.
#[must_use]
pub fn held_by_message(message: &Message) -> usize {
    let envelope = &message.envelope;
    let recipient = |id: &ProfileId| id.as_str().len() + RECIPIENT_HELD_BYTES;
    let content = message.content.encoded.len();
    size_of::<Message>()
        + content
        + content / ROUNDED_UP
        + envelope.to.iter().map(recipient).sum::<usize>()
        + envelope.notification.as_deref().map_or(0, <[u8]>::len)
        + envelope.sender.name.len()
        + envelope.sender.pic.len()
}

/// Truncates a list to `bytes_max` bytes, but to one item at least, and returns the rest.
pub fn fit<T>(items: &mut Vec<T>, bytes_max: usize, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let mut room = bytes_max;
    let fitting = items
        .iter()
        .take_while(|item| match room.checked_sub(bytes(item)) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        })
        .count();
    items.split_off(fitting.max(1).min(items.len()))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::ListValue;
    use prost_types::value::Kind;

    use super::*;
    use crate::convert::testing;

    #[test]
    fn a_list_is_truncated_after_one_item_at_least() {
        for (bytes_max, left) in [(0, 1), (5, 1), (10, 2), (14, 2), (15, 3), (100, 3)] {
            let mut items = vec![1, 2, 3];
            let others = fit(&mut items, bytes_max, |_| 5);
            assert_eq!(items.len(), left, "{bytes_max} bytes");
            assert_eq!(items.len() + others.len(), 3);
        }
        assert!(fit(&mut Vec::<u8>::new(), 0, |_| 5).is_empty());
    }

    #[test]
    fn an_item_counts_as_it_is_sent() {
        for length in [0, 1, 127, 128, 20_000] {
            let text = |length| prost_types::Value {
                kind: Some(Kind::StringValue("x".repeat(length))),
            };
            let values = vec![text(length), text(3)];
            let size = values.iter().map(sent).sum::<usize>();
            assert_eq!(ListValue { values }.encoded_len(), size);
        }
    }

    #[test]
    fn recipients_count_towards_the_size_in_memory() {
        let mut message = testing::message("hi");
        let held_before = held_by_message(&message);
        message.envelope.to.push(testing::profile("carol"));
        assert!(held_by_message(&message) > held_before + size_of::<ProfileId>() + "carol".len());
    }
}
