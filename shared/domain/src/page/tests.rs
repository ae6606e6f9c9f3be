//! Steps between pages of rows in memory.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "the numbers of tests are small"
)]

use super::*;
use crate::testing::sent_at;

/// Key of a row by its position in the order of sending; rows change in the opposite order.
fn key(row: u64) -> Key {
    Key {
        message_id: sent_at(row),
        msgbox: Msgbox::Inbox,
        change: 1_000 - row as i64,
    }
}

fn listing(rows_per_page: u32) -> Listing {
    Listing {
        criteria: Criteria::default(),
        sort: Sort {
            field: SortField::CreateTime,
            direction: Direction::Ascending,
        },
        rows_per_page,
        count: false,
    }
}

fn position(page: i32, first: u64, last: u64) -> PagePosition {
    PagePosition {
        page,
        first: Some(key(first)),
        last: Some(key(last)),
    }
}

const PAST_THE_END: PagePosition = PagePosition {
    page: 9,
    first: None,
    last: None,
};

fn found<const N: usize>(rows: [u64; N], more: bool) -> Found<u64> {
    Found {
        items: rows.map(|row| (key(row), row)).into(),
        more,
        reached: None,
        count: None,
    }
}

/// Returns the rows that a store finds, in the order of the scan.
fn find(rows: &[u64], scan: &Scan) -> Found<u64> {
    let position_of = |key: &Key| match scan.sort.field {
        SortField::CreateTime => key.message_id.time_ms().expect("a time").0,
        SortField::UpdateTime => key.change,
    };
    let mut keys: Vec<(Key, u64)> = rows.iter().map(|&row| (key(row), row)).collect();
    keys.sort_by_key(|(key, _)| match scan.sort.direction {
        Direction::Ascending => position_of(key),
        Direction::Descending => -position_of(key),
    });
    let from = |at: Key, inclusive: bool| {
        keys.iter().filter(move |(key, _)| {
            let beyond = match scan.sort.direction {
                Direction::Ascending => position_of(key) > position_of(&at),
                Direction::Descending => position_of(key) < position_of(&at),
            };
            beyond || (inclusive && *key == at)
        })
    };
    let reached: Vec<&(Key, u64)> = match scan.seek {
        Seek::Start => keys.iter().collect(),
        Seek::After(key) => from(key, false).collect(),
        Seek::At(key) => from(key, true).collect(),
        Seek::End => Vec::new(),
    };
    let beyond = scan.skip as usize + scan.rows as usize;
    Found {
        more: reached.len() > beyond,
        items: reached
            .into_iter()
            .skip(scan.skip as usize)
            .take(scan.rows as usize)
            .copied()
            .collect(),
        reached: None,
        count: None,
    }
}

fn read_page(rows: &[u64], listing: &Listing, step: &PageStep) -> Page<u64> {
    step.page(find(rows, &step.scan)).unwrap_or_else(|| {
        let first = PageStep::to(listing, 1);
        let found = find(rows, &first.scan);
        first.page(found).expect("the first page")
    })
}

#[test]
fn numbers_of_rows_and_pages_are_bounded() {
    assert_eq!(rows_per_page(0), Ok(50));
    assert_eq!(rows_per_page(1), Ok(1));
    assert_eq!(rows_per_page(200), Ok(200));
    assert_eq!(rows_per_page(i32::MAX), Ok(200));
    assert_eq!(rows_per_page(-1), Err(PageError::Negative));
    assert_eq!(page_number(0, 50), Ok(1));
    assert_eq!(page_number(200, 50), Ok(200));
    assert_eq!(page_number(201, 50), Err(PageError::TooFar));
    assert_eq!(page_number(i32::MAX, 200), Err(PageError::TooFar));
    assert_eq!(page_number(-1, 50), Err(PageError::Negative));
}

#[test]
fn criteria_of_a_box_alone_need_no_scan() {
    let inbox = Criteria {
        msgbox: Some(Msgbox::Inbox),
        ..Criteria::default()
    };
    assert!(Criteria::default().is_box_only() && inbox.is_box_only());
    let read = Criteria {
        read: Some(false),
        ..inbox
    };
    assert!(!read.is_box_only());
    let system = Criteria {
        system_only: true,
        ..Criteria::default()
    };
    assert!(!system.is_box_only());
}

#[test]
fn a_page_by_number_skips_the_rows_before_it() {
    let listing = listing(10);
    for (page, skip) in [(1, 0), (2, 10), (7, 60)] {
        let step = PageStep::to(&listing, page);
        assert_eq!((step.scan.seek, step.scan.skip), (Seek::Start, skip));
        assert_eq!(step.scan.rows, 10);
    }
}

#[test]
fn a_step_seeks_from_the_edge_of_the_current_page() {
    let listing = listing(10);
    let current = position(5, 41, 50);
    let step = |offset| {
        let scan = PageStep::from(&listing, current, offset).scan;
        (scan.seek, scan.skip, scan.sort.direction)
    };
    assert_eq!(step(1), (Seek::After(key(50)), 0, Direction::Ascending));
    assert_eq!(step(3), (Seek::After(key(50)), 20, Direction::Ascending));
    assert_eq!(step(0), (Seek::At(key(41)), 0, Direction::Ascending));
    assert_eq!(step(-1), (Seek::After(key(41)), 0, Direction::Descending));
    assert_eq!(step(-3), (Seek::After(key(41)), 20, Direction::Descending));
}

#[test]
fn a_step_before_the_first_page_leads_to_the_rows_in_its_place() {
    let listing = listing(10);
    for (current, nearest) in [
        (position(1, 11, 20), -1),
        (position(2, 11, 20), -1),
        (position(3, 21, 30), -2),
    ] {
        let expected = PageStep::from(&listing, current, nearest);
        assert_eq!((expected.page, expected.backward), (1, true));
        for offset in [-3, -4, i32::MIN] {
            assert_eq!(PageStep::from(&listing, current, offset), expected);
        }
    }
    let step = PageStep::from(&listing, position(2, 11, 20), -1);
    assert_eq!(step.page(found([], false)), None);
}

#[test]
fn steps_back_over_added_rows_leave_no_hole() {
    let mut listing = listing(5);
    listing.sort.direction = Direction::Descending;
    let rows: Vec<u64> = (1..=11).collect();
    let mut page = read_page(&rows, &listing, &PageStep::to(&listing, 1));
    let mut shown = page.items.clone();
    let rows: Vec<u64> = (1..=23).collect();
    for expected in [true, true, false] {
        page = read_page(
            &rows,
            &listing,
            &PageStep::from(&listing, page.position, -1),
        );
        assert_eq!((page.position.page, page.more_before), (1, expected));
        shown.splice(..0, page.items.clone());
    }
    assert_eq!(shown, (7..=23).rev().collect::<Vec<_>>());
}

#[test]
fn a_step_back_from_past_the_end_leads_to_the_last_rows() {
    let listing = listing(2);
    let step = |offset| PageStep::from(&listing, PAST_THE_END, offset);
    assert_eq!(step(1).scan.seek, Seek::End);
    assert_eq!(step(0).scan.seek, Seek::End);
    let rows = [1, 2, 3];
    let beyond = read_page(&rows, &listing, &PageStep::to(&listing, 9));
    assert_eq!(beyond.position, PAST_THE_END);
    assert!(beyond.items.is_empty());
    assert!(beyond.more_before && !beyond.more_after);
    let back = read_page(&rows, &listing, &step(-1));
    assert_eq!((back.items, back.position), (vec![2, 3], position(8, 2, 3)));
    assert!(back.more_before && !back.more_after);
    let further = read_page(&rows, &listing, &step(-2));
    assert_eq!((further.items, further.position.page), (vec![1], 7));
    let of_no_rows = read_page(&[], &listing, &step(-1));
    assert_eq!((of_no_rows.items, of_no_rows.position.page), (vec![], 1));
}

#[test]
fn page_numbers_do_not_overflow() {
    let current = PagePosition {
        page: i32::MAX,
        ..position(1, 1, 2)
    };
    let step = PageStep::from(&listing(1), current, 2);
    let page = step.page(found([3], false)).expect("a page");
    assert_eq!(page.position.page, i32::MAX);
}

#[test]
fn a_page_shows_its_rows_in_the_order_of_the_listing() {
    let listing = listing(3);
    let forward = PageStep::to(&listing, 2).page(found([4, 5, 6], true));
    let forward = forward.expect("a page");
    assert_eq!(forward.items, [4, 5, 6]);
    assert_eq!(forward.position, position(2, 4, 6));
    assert!(forward.more_before && forward.more_after);
    let backward = PageStep::from(&listing, position(2, 4, 6), -1).page(found([3, 2, 1], false));
    let backward = backward.expect("a page");
    assert_eq!(backward.items, [1, 2, 3]);
    assert_eq!(backward.position, position(1, 1, 3));
    assert!(!backward.more_before && backward.more_after);
}

#[test]
fn a_step_from_a_truncated_page_continues_at_its_last_row() {
    let listing = listing(3);
    let cut = PageStep::to(&listing, 1)
        .page(found([1], true))
        .expect("a page");
    assert!(cut.more_after);
    let next = PageStep::from(&listing, cut.position, 1);
    assert_eq!(next.scan.seek, Seek::After(key(1)));
    let cut = PageStep::from(&listing, position(3, 7, 9), -1).page(found([6], true));
    let cut = cut.expect("a page");
    assert!(cut.more_before && cut.more_after);
    let previous = PageStep::from(&listing, cut.position, -1);
    assert_eq!(previous.scan.seek, Seek::After(key(6)));
}

#[test]
fn a_step_after_an_unfinished_scan_continues_where_it_ended() {
    let listing = listing(3);
    let unfinished = |rows: Found<u64>| Found {
        reached: Some(key(50)),
        ..rows
    };
    let empty = PageStep::to(&listing, 1).page(unfinished(found([], true)));
    let empty = empty.expect("a page");
    assert!(empty.items.is_empty() && empty.more_after);
    assert_eq!(empty.position, position(1, 50, 50));
    let short = PageStep::to(&listing, 1).page(unfinished(found([1], true)));
    assert_eq!(short.expect("a page").position, position(1, 1, 50));

    let back = PageStep::from(&listing, position(9, 80, 90), -1);
    let empty = back.page(unfinished(found([], true))).expect("a page");
    assert!(empty.items.is_empty() && empty.more_before && empty.more_after);
    assert_eq!(empty.position, position(8, 50, 50));
    let short = back.page(unfinished(found([79], true))).expect("a page");
    assert_eq!(short.position, position(8, 50, 79));

    let ended = PageStep::to(&listing, 1).page(unfinished(found([1], false)));
    assert_eq!(ended.expect("a page").position, position(1, 1, 1));
}

#[test]
fn steps_forward_and_back_show_every_row_once() {
    let rows: Vec<u64> = (1..=7).collect();
    for field in [SortField::CreateTime, SortField::UpdateTime] {
        for direction in [Direction::Ascending, Direction::Descending] {
            for rows_per_page in 1..=8 {
                let mut listing = listing(rows_per_page);
                listing.sort = Sort { field, direction };
                let mut page = read_page(&rows, &listing, &PageStep::to(&listing, 1));
                assert!(!page.more_before);
                let mut pages = vec![page.items.clone()];
                while page.more_after {
                    let step = PageStep::from(&listing, page.position, 1);
                    page = read_page(&rows, &listing, &step);
                    pages.push(page.items.clone());
                }
                let mut all = pages.concat();
                let rising =
                    (field == SortField::CreateTime) == (direction == Direction::Ascending);
                if !rising {
                    all.reverse();
                }
                assert_eq!(all, rows);
                for expected in pages.iter().rev().skip(1) {
                    assert!(page.more_before);
                    let step = PageStep::from(&listing, page.position, -1);
                    page = read_page(&rows, &listing, &step);
                    assert_eq!(&page.items, expected);
                }
                assert_eq!(page.position.page, 1);
                assert!(!page.more_before);
            }
        }
    }
}

#[test]
fn rows_added_between_steps_repeat_no_row() {
    let mut listing = listing(2);
    listing.sort.direction = Direction::Descending;
    let mut rows: Vec<u64> = (1..=6).collect();
    let mut page = read_page(&rows, &listing, &PageStep::to(&listing, 1));
    let mut shown = page.items.clone();
    while page.more_after {
        rows.push(rows.len() as u64 + 1);
        page = read_page(&rows, &listing, &PageStep::from(&listing, page.position, 1));
        shown.extend(&page.items);
    }
    assert_eq!(shown, [6, 5, 4, 3, 2, 1]);
    let back = read_page(
        &rows,
        &listing,
        &PageStep::from(&listing, page.position, -2),
    );
    assert_eq!((back.items, back.position.page), (vec![6, 5], 1));
    assert!(back.more_before, "added rows are before it");
}
