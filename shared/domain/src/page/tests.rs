//! Turning pages, over rows in memory.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "the numbers of tests are small"
)]

use super::*;
use crate::testing::sent_at;

/// A row: its place in the order of sending. It changed in the opposite order.
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

/// Returns the rows that a store finds, in either order.
fn find(rows: &[u64], scan: &Scan) -> Found<u64> {
    let place = |key: &Key| match scan.sort.field {
        SortField::CreateTime => key.message_id.time_ms().expect("a time").0,
        SortField::UpdateTime => key.change,
    };
    let mut keys: Vec<(Key, u64)> = rows.iter().map(|&row| (key(row), row)).collect();
    keys.sort_by_key(|(key, _)| match scan.sort.direction {
        Direction::Ascending => place(key),
        Direction::Descending => -place(key),
    });
    let from = |at: Key, inclusive: bool| {
        keys.iter().filter(move |(key, _)| {
            let beyond = match scan.sort.direction {
                Direction::Ascending => place(key) > place(&at),
                Direction::Descending => place(key) < place(&at),
            };
            beyond || (inclusive && *key == at)
        })
    };
    let seen: Vec<&(Key, u64)> = match scan.seek {
        Seek::Start => keys.iter().collect(),
        Seek::After(key) => from(key, false).collect(),
        Seek::At(key) => from(key, true).collect(),
        Seek::End => Vec::new(),
    };
    let beyond = scan.skip as usize + scan.rows as usize;
    Found {
        more: seen.len() > beyond,
        items: seen
            .into_iter()
            .skip(scan.skip as usize)
            .take(scan.rows as usize)
            .copied()
            .collect(),
        reached: None,
        count: None,
    }
}

fn turn(rows: &[u64], listing: &Listing, turn: &PageStep) -> Page<u64> {
    turn.page(find(rows, &turn.scan)).unwrap_or_else(|| {
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
fn criteria_that_name_at_most_a_box_need_no_look() {
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
fn a_page_by_number_passes_over_the_pages_before_it() {
    let listing = listing(10);
    for (page, skip) in [(1, 0), (2, 10), (7, 60)] {
        let turn = PageStep::to(&listing, page);
        assert_eq!((turn.scan.seek, turn.scan.skip), (Seek::Start, skip));
        assert_eq!(turn.scan.rows, 10);
    }
}

#[test]
fn a_step_seeks_from_the_edge_of_the_page_that_one_has() {
    let listing = listing(10);
    let here = position(5, 41, 50);
    let step = |offset| {
        let scan = PageStep::from(&listing, here, offset).scan;
        (scan.seek, scan.skip, scan.sort.direction)
    };
    assert_eq!(step(1), (Seek::After(key(50)), 0, Direction::Ascending));
    assert_eq!(step(3), (Seek::After(key(50)), 20, Direction::Ascending));
    assert_eq!(step(0), (Seek::At(key(41)), 0, Direction::Ascending));
    assert_eq!(step(-1), (Seek::After(key(41)), 0, Direction::Descending));
    assert_eq!(step(-3), (Seek::After(key(41)), 20, Direction::Descending));
}

#[test]
fn a_step_before_the_beginning_is_the_first_page_as_it_is_now() {
    let listing = listing(10);
    for offset in [-2, -3, i32::MIN] {
        let step = PageStep::from(&listing, position(2, 11, 20), offset);
        assert_eq!(step, PageStep::to(&listing, 1));
    }
    let step = PageStep::from(&listing, position(2, 11, 20), -1);
    assert_eq!(step.page(found([], false)), None);
}

#[test]
fn past_the_end_there_is_nothing_and_one_step_back_are_the_last_rows() {
    let listing = listing(2);
    let step = |offset| PageStep::from(&listing, PAST_THE_END, offset);
    assert_eq!(step(1).scan.seek, Seek::End);
    assert_eq!(step(0).scan.seek, Seek::End);
    let rows = [1, 2, 3];
    let beyond = turn(&rows, &listing, &PageStep::to(&listing, 9));
    assert_eq!(beyond.position, PAST_THE_END);
    assert!(beyond.items.is_empty());
    assert!(beyond.more_before && !beyond.more_after);
    let back = turn(&rows, &listing, &step(-1));
    assert_eq!((back.items, back.position), (vec![2, 3], position(8, 2, 3)));
    assert!(back.more_before && !back.more_after);
    let further = turn(&rows, &listing, &step(-2));
    assert_eq!((further.items, further.position.page), (vec![1], 7));
    let all_of_nothing = turn(&[], &listing, &step(-1));
    assert_eq!(
        (all_of_nothing.items, all_of_nothing.position.page),
        (vec![], 1)
    );
}

#[test]
fn page_numbers_do_not_overflow() {
    let here = PagePosition {
        page: i32::MAX,
        ..position(1, 1, 2)
    };
    let turn = PageStep::from(&listing(1), here, 2);
    let page = turn.page(found([3], false)).expect("a page");
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
fn a_page_that_is_cut_goes_on_where_it_was_cut() {
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
fn a_scan_that_gave_up_goes_on_where_it_gave_up() {
    let listing = listing(3);
    let gave_up = |rows: Found<u64>| Found {
        reached: Some(key(50)),
        ..rows
    };
    let empty = PageStep::to(&listing, 1).page(gave_up(found([], true)));
    let empty = empty.expect("a page");
    assert!(empty.items.is_empty() && empty.more_after);
    assert_eq!(empty.position, position(1, 50, 50));
    let short = PageStep::to(&listing, 1).page(gave_up(found([1], true)));
    assert_eq!(short.expect("a page").position, position(1, 1, 50));

    let back = PageStep::from(&listing, position(9, 80, 90), -1);
    let empty = back.page(gave_up(found([], true))).expect("a page");
    assert!(empty.items.is_empty() && empty.more_before && empty.more_after);
    assert_eq!(empty.position, position(8, 50, 50));
    let short = back.page(gave_up(found([79], true))).expect("a page");
    assert_eq!(short.position, position(8, 50, 79));

    let ended = PageStep::to(&listing, 1).page(gave_up(found([1], false)));
    assert_eq!(ended.expect("a page").position, position(1, 1, 1));
}

#[test]
fn there_and_back_again_shows_every_row_once_each_way() {
    let rows: Vec<u64> = (1..=7).collect();
    for field in [SortField::CreateTime, SortField::UpdateTime] {
        for direction in [Direction::Ascending, Direction::Descending] {
            for rows_per_page in 1..=8 {
                let mut listing = listing(rows_per_page);
                listing.sort = Sort { field, direction };
                let mut page = turn(&rows, &listing, &PageStep::to(&listing, 1));
                assert!(!page.more_before);
                let mut pages = vec![page.items.clone()];
                while page.more_after {
                    let step = PageStep::from(&listing, page.position, 1);
                    page = turn(&rows, &listing, &step);
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
                    page = turn(&rows, &listing, &step);
                    assert_eq!(&page.items, expected);
                }
                assert_eq!(page.position.page, 1);
                assert!(!page.more_before);
            }
        }
    }
}

#[test]
fn later_arrivals_repeat_no_row() {
    let mut listing = listing(2);
    listing.sort.direction = Direction::Descending;
    let mut rows: Vec<u64> = (1..=6).collect();
    let mut page = turn(&rows, &listing, &PageStep::to(&listing, 1));
    let mut shown = page.items.clone();
    while page.more_after {
        rows.push(rows.len() as u64 + 1);
        page = turn(&rows, &listing, &PageStep::from(&listing, page.position, 1));
        shown.extend(&page.items);
    }
    assert_eq!(shown, [6, 5, 4, 3, 2, 1]);
    let back = turn(
        &rows,
        &listing,
        &PageStep::from(&listing, page.position, -2),
    );
    assert_eq!((back.items, back.position.page), (vec![6, 5], 1));
    assert!(back.more_before, "what came since is before it");
}
