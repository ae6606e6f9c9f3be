//! Pages that end early: too many bytes, or too many rows that do not match.

use domain::limits::{PAGE_BYTES_MAX, RECIPIENT_ROWS_EXAMINED_MAX, ROWS_EXAMINED_MAX};
use domain::page::{Criteria, Direction, Listing, Sort};
use domain::{Action, MessageId, Policy};
use support::on_each_database;

use super::row;
use crate::conformance::builders::{
    announce, app, bytes, from_user, operation, profile, send, sent,
};
use crate::conformance::fixture::StoreFixture;
use crate::conformance::page_offsets::{SORTS, listing, pages, there_and_back};

on_each_database![
    a_page_of_large_messages_is_cut_and_continued_by_the_next,
    a_scan_stops_after_many_misses_and_continues_on_the_next_page,
    a_scan_for_a_recipient_stops_after_fewer_misses,
];

async fn a_page_of_large_messages_is_cut_and_continued_by_the_next(fixture: &StoreFixture) {
    const SIZE: usize = 60 * 1024;
    let policy = Policy {
        max_content_bytes: 64 * 1024,
        ..Policy::default()
    };
    let store = fixture.store_with(policy).await;
    let mut messages: Vec<MessageId> = Vec::new();
    for number in 0..22 {
        let size = if number % 5 == 0 { 10 } else { SIZE };
        let letter = Action::SendMessage(from_user("ann", &["bob"], bytes(size)));
        messages.push(sent(store.run(&app(), operation(letter)).await));
    }
    store.close().await;
    for sort in SORTS {
        let listing = listing(sort, 50);
        let shown = there_and_back(fixture, &listing).await;
        let mut expected = messages.clone();
        if sort.direction == Direction::Descending {
            expected.reverse();
        }
        let shown: Vec<MessageId> = shown.iter().map(|item| row(item).0).collect();
        assert_eq!(shown, expected);
        let pages = pages(fixture, &listing).await;
        assert!(pages.len() > 2);
        for page in &pages {
            let size: usize = page
                .items
                .iter()
                .map(|item| item.message.content.encoded.len())
                .sum();
            assert!(size <= PAGE_BYTES_MAX, "{size}");
            let is_full = size + SIZE > PAGE_BYTES_MAX;
            assert!(is_full || !page.more_after, "{size}");
        }
    }
}

async fn a_scan_stops_after_many_misses_and_continues_on_the_next_page(fixture: &StoreFixture) {
    let many = usize::try_from(ROWS_EXAMINED_MAX).expect("many") + 300;
    let mut wanted: Vec<MessageId> = Vec::new();
    wanted.push(fixture.send("eve", &["bob"]).await);
    wanted.push(fixture.send("eve", &["bob"]).await);
    for _ in 0..many / 230 {
        let batch = (0..230).map(|_| send("ann", &["bob"]));
        assert!(fixture.batch(batch).await.iter().all(Result::is_ok));
    }
    wanted.push(fixture.send("eve", &["bob"]).await);
    for _ in 0..2 {
        let batch = (0..200).map(|_| announce(&["bob"]));
        assert!(fixture.batch(batch).await.iter().all(Result::is_ok));
    }
    for sort in SORTS {
        let mut expected = wanted.clone();
        if sort.direction == Direction::Descending {
            expected.reverse();
        }
        for rows_per_page in [1, 2, 10] {
            let from_eve = from("eve", sort, rows_per_page);
            let shown = there_and_back(fixture, &from_eve).await;
            let shown: Vec<MessageId> = shown.iter().map(|item| row(item).0).collect();
            assert_eq!(shown, expected, "{sort:?}, {rows_per_page} rows a page");
        }
        let from_eve = pages(fixture, &from("eve", sort, 10)).await;
        assert_eq!(from_eve.len(), 2, "it gave up once");
        let from_nobody = pages(fixture, &from("nobody", sort, 10)).await;
        assert_eq!(from_nobody.len(), 2);
        assert!(from_nobody.iter().all(|page| page.items.is_empty()));
    }
}

async fn a_scan_for_a_recipient_stops_after_fewer_misses(fixture: &StoreFixture) {
    let wanted = fixture.send("ann", &["bob", "eve"]).await;
    for _ in 0..=RECIPIENT_ROWS_EXAMINED_MAX / 200 {
        let batch = (0..200).map(|_| send("ann", &["bob"]));
        assert!(fixture.batch(batch).await.iter().all(Result::is_ok));
    }
    let eve = Some(profile("eve"));
    let to = Criteria {
        to: eve.clone(),
        ..Criteria::default()
    };
    let party = Criteria {
        party: eve,
        ..Criteria::default()
    };
    for criteria in [to, party] {
        let listing = Listing {
            criteria,
            ..listing(SORTS[0], 10)
        };
        let shown = pages(fixture, &listing).await;
        let shown: Vec<Vec<MessageId>> = shown
            .iter()
            .map(|page| page.items.iter().map(|item| row(item).0).collect())
            .collect();
        assert_eq!(shown, [vec![], vec![wanted]]);
    }
}

fn from(profile_id: &str, sort: Sort, rows_per_page: u32) -> Listing {
    Listing {
        criteria: Criteria {
            sender: Some(profile(profile_id)),
            ..Criteria::default()
        },
        ..listing(sort, rows_per_page)
    }
}
