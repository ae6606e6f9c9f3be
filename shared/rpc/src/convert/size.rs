//! Sizes of messages in responses and in memory. The store limits the contents that it reads;
//! recipients count as well: hundreds of them make a short message large.

use domain::page::Found;
use domain::{Message, ProfileId};

/// Size of an entry and its message without texts and content, in bytes: ids, times, numbers,
/// tags.
const FIXED_BYTES: usize = 384;
/// Size of the tag and length of a recipient, in bytes.
const RECIPIENT_FIXED_BYTES: usize = 3;
/// Size of a recipient in memory without its text, in bytes: pointer, reference counts, and the
/// allocator's overhead.
const RECIPIENT_HELD_BYTES: usize = 48;
/// Divisor of a content's size that yields the allocator's maximum overhead.
const ROUNDED_UP: usize = 4;

/// Size of a message in a response, in bytes, rounded up.
#[must_use]
pub fn of_message(message: &Message) -> usize {
    let envelope = &message.envelope;
    let recipient = |id: &ProfileId| id.as_str().len() + RECIPIENT_FIXED_BYTES;
    FIXED_BYTES
        + message.content.encoded.len()
        + envelope.to.iter().map(recipient).sum::<usize>()
        + envelope.sender.profile_id.as_ref().map_or(0, recipient)
        + envelope.sender.name.len()
        + envelope.sender.pic.len()
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

/// Truncates a scan to `bytes_max` bytes of rows, but to one row at least.
pub fn fit_scan<T>(found: &mut Found<T>, bytes_max: usize, bytes: impl Fn(&T) -> usize) {
    let others = fit(&mut found.items, bytes_max, |(_, item)| bytes(item));
    if !others.is_empty() {
        found.more = true;
        found.reached = None;
    }
}

#[cfg(test)]
mod tests {
    use domain::Msgbox;
    use domain::page::Key;

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
    fn a_truncated_scan_has_more() {
        let row = |number| {
            let key = Key {
                message_id: testing::message_id(number),
                msgbox: Msgbox::Inbox,
                change: 0,
            };
            (key, number)
        };
        let mut found = Found {
            items: vec![row(1), row(2)],
            more: false,
            reached: None,
            count: None,
        };
        fit_scan(&mut found, 10, |_| 5);
        assert!(!found.more);
        found.reached = Some(row(9).0);
        fit_scan(&mut found, 9, |_| 5);
        assert!(found.more && found.reached.is_none());
        assert_eq!(found.items.len(), 1);
    }

    #[test]
    fn recipients_count_towards_the_size() {
        let mut message = testing::message("hi");
        let before = of_message(&message);
        let held_before = held_by_message(&message);
        message.envelope.to.push(testing::profile("carol"));
        assert!(of_message(&message) > before + "carol".len());
        assert!(held_by_message(&message) > held_before + size_of::<ProfileId>() + "carol".len());
    }
}
