//! Counts, and pages that end early.

use domain::limits::{COUNT_MAX, PAGE_BYTES_MAX, ROWS_EXAMINED_MAX};
use domain::page::{Count, Criteria, Listing, Scan};
use domain::{Action, MessageId, Msgbox, Policy};
use support::on_each_database;

use super::{Repository, all, furnish, id};
use crate::conformance::bench::Bench;
use crate::conformance::turning::{SORTS, Source, everything, listing, pages, there_and_back};
use crate::conformance::words::{
    announce, app, bytes, clear, from_user, operation, profile, sent, update,
};

on_each_database![
    counting_is_done_when_asked_for,
    a_page_is_cut_by_bytes_and_by_messages_that_do_not_match,
];

async fn counting_is_done_when_asked_for(bench: &Bench) {
    let messages = furnish(bench).await;
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
            let found = Repository(bench).found(&scan).await;
            assert_eq!(found.count, expected);
        }
    }
    let (limit, each) = (i64::from(COUNT_MAX), 250);
    for _ in 0..limit / each {
        let batch = (0..each).map(|_| announce(&["bob"]));
        let verdicts = bench.batch(batch).await;
        assert!(verdicts.iter().all(Result::is_ok));
        bench.done(clear("bob", Msgbox::Inbox)).await;
    }
    let scan = Scan {
        count: true,
        rows: 1,
        ..everything()
    };
    let found = Repository(bench).found(&scan).await;
    let capped = Count {
        matches: limit,
        capped: true,
    };
    assert_eq!(found.count, Some(capped), "{} and more", messages.len());
}

async fn a_page_is_cut_by_bytes_and_by_messages_that_do_not_match(bench: &Bench) {
    const SIZE: usize = 60 * 1024;
    let store = bench.store_with(Policy {
        max_content_bytes: 64 * 1024,
        ..Policy::default()
    });
    let store = store.await;
    let mut large = Vec::new();
    for number in 0..20 {
        let letter = from_user("eve", &["bob"], bytes(SIZE + number));
        large.push(sent(
            store.run(&app(), operation(Action::Deliver(letter))).await,
        ));
        if number == 9 {
            let batches = 2 + ROWS_EXAMINED_MAX / 250;
            for _ in 0..batches {
                let batch = (0..250).map(|_| announce(&["bob"]));
                assert!(bench.batch(batch).await.iter().all(Result::is_ok));
                bench.done(clear("bob", Msgbox::Inbox)).await;
            }
        }
    }
    store.close().await;
    bench.clock().advance(1);
    bench.done(update(large[3], "edited", None)).await;
    for sort in SORTS {
        let listing = Listing {
            criteria: Criteria {
                from: Some(profile("eve")),
                ..Criteria::default()
            },
            ..listing(sort, 50)
        };
        let expected: Vec<MessageId> = all(bench, &large, sort).await.iter().map(id).collect();
        let shown = there_and_back(&Repository(bench), &listing).await;
        let shown: Vec<MessageId> = shown.iter().map(id).collect();
        assert_eq!(shown, expected, "{sort:?}");
        for page in pages(&Repository(bench), &listing).await {
            let sizes = page.items.iter().map(|one| one.content.encoded.len());
            assert!(sizes.sum::<usize>() <= PAGE_BYTES_MAX);
        }
    }
}
