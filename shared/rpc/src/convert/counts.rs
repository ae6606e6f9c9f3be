//! Counts in responses.

use domain::Msgbox;
use domain::mailbox::Counts;
use domain::number::saturating;
use proto::v1;

/// Both boxes with their counts: `inbox`, `sent`.
#[must_use]
pub fn boxes(counts: &Counts) -> Vec<v1::Msgbox> {
    let boxes = Msgbox::ALL.map(|msgbox| v1::Msgbox {
        name: msgbox.name().to_owned(),
        total: saturating(counts.total(msgbox)),
        unread: saturating(counts.unread(msgbox)),
    });
    boxes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_boxes_are_counted_and_sent_has_nothing_unread() {
        let counts = Counts {
            inbox_total: 3,
            inbox_unread: 2,
            sent_total: 5,
        };
        let numbers = |found: &v1::Msgbox| (found.name.clone(), found.total, found.unread);
        let found: Vec<_> = boxes(&counts).iter().map(numbers).collect();
        assert_eq!(found, [("inbox".into(), 3, 2), ("sent".into(), 5, 0)]);
    }
}
