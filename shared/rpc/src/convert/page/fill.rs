//! Scans for a page, until the response is filled.

use domain::limits::PAGE_BYTES_MAX;
use domain::number::saturating;
use domain::page::{Found, Scan, Seek};
use prost::Message;
use storage::Error;

use crate::convert::size;

/// Scans with `read`, which shows the rows, until the page is full or nothing is left, and returns
/// the rows with the other result of the first read. A read is limited by the contents that it
/// loads, the response by what the view shows of them.
pub(super) async fn fill<T, B, F>(
    scan: Scan,
    read: impl Fn(Scan) -> F,
) -> Result<(Found<T>, B), Error>
where
    T: Message,
    F: Future<Output = Result<(Found<T>, B), Error>>,
{
    let (mut found, beside) = read(scan.clone()).await?;
    while let Some(next) = rest(&scan, &found) {
        let (more, _) = read(next).await?;
        found.items.extend(more.items);
        found.more = more.more;
        found.reached = more.reached;
    }
    let others = size::fit(&mut found.items, PAGE_BYTES_MAX, |(_, row)| size::sent(row));
    if !others.is_empty() {
        found.more = true;
        found.reached = None;
    }
    Ok((found, beside))
}

/// Returns the scan for the rows whose contents were too large for the last read; none if there
/// are none, or no room for them.
fn rest<T: Message>(scan: &Scan, found: &Found<T>) -> Option<Scan> {
    let rows = scan.rows.saturating_sub(saturating(found.items.len()));
    let ended_at_rows = !found.more || found.reached.is_some() || rows == 0;
    let shown = found.items.iter().map(|(_, row)| row);
    if ended_at_rows || size::is_filled(shown, PAGE_BYTES_MAX) {
        return None;
    }
    found.items.last().map(|(last, _)| Scan {
        seek: Seek::After(*last),
        skip: 0,
        rows,
        count: false,
        ..scan.clone()
    })
}

/// Returns what a scan has found with its rows shown.
pub(super) fn shown<S, T>(
    found: Found<S>,
    show: impl Fn(&S) -> Result<T, Error>,
) -> Result<Found<T>, Error> {
    let items = found.items.into_iter();
    let items = items.map(|(key, row)| Ok((key, show(&row)?)));
    Ok(Found {
        items: items.collect::<Result<_, Error>>()?,
        more: found.more,
        reached: found.reached,
        count: found.count,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use domain::Msgbox;
    use domain::page::{Criteria, Key, Sort};

    use super::*;
    use crate::convert::testing;

    fn key(number: u128) -> Key {
        Key {
            message_id: testing::message_id(number),
            msgbox: Msgbox::Inbox,
            change: 0,
        }
    }

    fn found(numbers: &[u128], bytes: usize, more: bool) -> Found<String> {
        let rows = numbers
            .iter()
            .map(|number| (key(*number), "x".repeat(bytes)));
        Found {
            items: rows.collect(),
            more,
            reached: None,
            count: None,
        }
    }

    /// Fills a page of three rows with these reads; returns its number of rows, whether there are
    /// more, and the starts of the scans.
    async fn filled(mut reads: Vec<Found<String>>) -> (usize, bool, Vec<(Seek, u32)>) {
        let scan = Scan {
            criteria: Criteria::default(),
            sort: Sort::default(),
            seek: Seek::Start,
            skip: 0,
            rows: 3,
            count: false,
        };
        reads.reverse();
        let (reads, scans) = (RefCell::new(reads), RefCell::new(Vec::new()));
        let read = async |scan: Scan| {
            scans.borrow_mut().push((scan.seek, scan.rows));
            Ok((reads.borrow_mut().pop().expect("a read"), ()))
        };
        let (page, ()) = fill(scan, read).await.expect("a page");
        (page.items.len(), page.more, scans.into_inner())
    }

    #[tokio::test]
    async fn a_page_is_read_on_until_it_has_its_rows() {
        let reads = vec![found(&[1], 9, true), found(&[2, 3], 9, true)];
        let scans = vec![(Seek::Start, 3), (Seek::After(key(1)), 2)];
        assert_eq!(filled(reads).await, (3, true, scans));
        let reads = vec![found(&[1], 9, true), found(&[2], 9, false)];
        let scans = vec![(Seek::Start, 3), (Seek::After(key(1)), 2)];
        assert_eq!(filled(reads).await, (2, false, scans));
    }

    #[tokio::test]
    async fn a_page_that_is_half_full_of_bytes_is_not_read_on() {
        let half = found(&[1], PAGE_BYTES_MAX / 2, true);
        assert_eq!(filled(vec![half]).await, (1, true, vec![(Seek::Start, 3)]));
    }

    #[tokio::test]
    async fn a_page_ends_before_the_row_that_does_not_fit() {
        let large = found(&[1, 2, 3], PAGE_BYTES_MAX / 3, false);
        assert_eq!(filled(vec![large]).await, (2, true, vec![(Seek::Start, 3)]));
    }

    #[tokio::test]
    async fn a_scan_that_ended_early_is_left_to_the_next_page() {
        let ended = Found {
            reached: Some(key(9)),
            ..found(&[1], 9, true)
        };
        assert_eq!(filled(vec![ended]).await, (1, true, vec![(Seek::Start, 3)]));
    }
}
