//! Counts, and pages that end early.

use domain::limits::{COUNT_MAX, PAGE_BYTES_MAX, ROWS_EXAMINED_MAX};
use domain::page::{Count, Criteria, Listing, Scan};
use domain::{Action, MessageId, Msgbox, Policy};
use support::on_each_database;

use super::{RepositorySource, all, furnish, id};
use crate::conformance::builders::{
    announce, app, bytes, clear, from_user, operation, profile, sent, update,
};
use crate::conformance::fixture::StoreFixture;
use crate::conformance::page_offsets::{
    PageSource, SORTS, everything, listing, pages, there_and_back,
};

on_each_database![
    a_count_is_computed_on_request,
    a_page_is_cut_by_bytes_and_by_messages_that_do_not_match,
];

async fn a_count_is_computed_on_request(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    let system_only = Criteria {
        system_only: true,
        ..Criteria::default()
    };
    let exact = |matches| Count {
        matches,
        capped: false,
    };
    for (criteria, matches) in [(Criteria::default(), 22), (system_only, 8)] {
        for (count, expected) in [(true, Some(exact(matches))), (false, None)] {
            let scan = Scan {
                criteria: criteria.clone(),
                count,
                rows: 1,
                ..everything()
            };
            let found = RepositorySource(fixture).found(&scan).await;
            assert_eq!(found.count, expected);
        }
    }
    let (limit, each) = (i64::from(COUNT_MAX), 250);
    for _ in 0..limit / each {
        let batch = (0..each).map(|_| announce(&["bob"]));
        let verdicts = fixture.batch(batch).await;
        assert!(verdicts.iter().all(Result::is_ok));
        fixture.done(clear("bob", Msgbox::Inbox)).await;
    }
    let scan = Scan {
        count: true,
        rows: 1,
        ..everything()
    };
    let found = RepositorySource(fixture).found(&scan).await;
    let capped = Count {
        matches: limit,
        capped: true,
    };
    assert_eq!(found.count, Some(capped), "{} and more", messages.len());
}

async fn a_page_is_cut_by_bytes_and_by_messages_that_do_not_match(fixture: &StoreFixture) {
    const SIZE: usize = 60 * 1024;
    let store = fixture.store_with(Policy {
        max_content_bytes: 64 * 1024,
        ..Policy::default()
    });
    let store = store.await;
    let mut large = Vec::new();
    for number in 0..20 {
        let letter = from_user("eve", &["bob"], bytes(SIZE + number));
        large.push(sent(
            store
                .run(&app(), operation(Action::SendMessage(letter)))
                .await,
        ));
        if number == 9 {
            let batches = 2 + ROWS_EXAMINED_MAX / 250;
            for _ in 0..batches {
                let batch = (0..250).map(|_| announce(&["bob"]));
                assert!(fixture.batch(batch).await.iter().all(Result::is_ok));
                fixture.done(clear("bob", Msgbox::Inbox)).await;
            }
        }
    }
    store.close().await;
    fixture.clock().advance(1);
    fixture.done(update(large[3], "edited", None)).await;
    for sort in SORTS {
        let listing = Listing {
            criteria: Criteria {
                sender: Some(profile("eve")),
                ..Criteria::default()
            },
            ..listing(sort, 50)
        };
        let expected: Vec<MessageId> = all(fixture, &large, sort).await.iter().map(id).collect();
        let shown = there_and_back(&RepositorySource(fixture), &listing).await;
        let shown: Vec<MessageId> = shown.iter().map(id).collect();
        assert_eq!(shown, expected, "{sort:?}");
        for page in pages(&RepositorySource(fixture), &listing).await {
            let sizes = page.items.iter().map(|one| one.content.encoded.len());
            assert!(sizes.sum::<usize>() <= PAGE_BYTES_MAX);
        }
    }
}
