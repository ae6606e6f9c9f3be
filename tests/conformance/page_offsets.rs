//! Walks over pages by offsets, forward and back, for every source of pages.

use std::fmt::Debug;

use domain::page::{
    Criteria, Direction, Found, Listing, Page, PagePosition, PageStep, Scan, Seek, Sort, SortField,
};

pub const SORTS: [Sort; 4] = [
    sort(SortField::CreateTime, Direction::Descending),
    sort(SortField::CreateTime, Direction::Ascending),
    sort(SortField::UpdateTime, Direction::Descending),
    sort(SortField::UpdateTime, Direction::Ascending),
];

/// Maximum number of pages of a listing in these tests.
const PAGES_MAX: usize = 1_000;

/// Source of pages.
pub trait PageSource {
    type Row: Clone + PartialEq + Debug;

    async fn found(&self, scan: &Scan) -> Found<Self::Row>;
}

const fn sort(field: SortField, direction: Direction) -> Sort {
    Sort { field, direction }
}

/// A scan of all rows, newest first.
pub fn everything() -> Scan {
    Scan {
        criteria: Criteria::default(),
        sort: SORTS[0],
        seek: Seek::Start,
        skip: 0,
        rows: 1_000,
        count: false,
    }
}

pub fn listing(sort: Sort, rows_per_page: u32) -> Listing {
    Listing {
        criteria: Criteria::default(),
        sort,
        rows_per_page,
        count: false,
    }
}

pub async fn turn<S: PageSource>(source: &S, listing: &Listing, turn: PageStep) -> Page<S::Row> {
    if let Some(page) = turn.page(source.found(&turn.scan).await) {
        return page;
    }
    let first = PageStep::to(listing, 1);
    let found = source.found(&first.scan).await;
    first.page(found).expect("the first page")
}

pub async fn step<S: PageSource>(
    source: &S,
    listing: &Listing,
    from: PagePosition,
    offset: i32,
) -> Page<S::Row> {
    turn(source, listing, PageStep::from(listing, from, offset)).await
}

/// All pages from the first to the last.
pub async fn pages<S: PageSource>(source: &S, listing: &Listing) -> Vec<Page<S::Row>> {
    let mut pages = vec![turn(source, listing, PageStep::to(listing, 1)).await];
    while let Some(last) = pages.last().filter(|page| page.more_after) {
        let next = step(source, listing, last.position, 1).await;
        assert_eq!(next.position.page, last.position.page + 1);
        assert!(next.more_before);
        pages.push(next);
        assert!(pages.len() < PAGES_MAX, "it does not end");
    }
    pages
}

fn rows<T: Clone>(pages: &[Page<T>]) -> Vec<T> {
    pages.iter().flat_map(|page| page.items.clone()).collect()
}

/// Turns to the last page and back to the first; the rows, which come once each way.
pub async fn there_and_back<S: PageSource>(source: &S, listing: &Listing) -> Vec<S::Row> {
    let there = pages(source, listing).await;
    let shown = rows(&there);
    let mut back = vec![there.last().expect("a page").clone()];
    while let Some(page) = back.last().filter(|page| page.more_before) {
        back.push(step(source, listing, page.position, -1).await);
        assert!(back.len() < PAGES_MAX, "it does not end");
    }
    back.reverse();
    assert_eq!(rows(&back), shown, "the same rows on the way back");
    shown
}
