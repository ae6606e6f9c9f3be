//! Bounds of page numbers and page lengths.

use proto::v1::{PageContext, Pagination, SortCriteria};
use support::on_each_database;
use support::service::TestService;
use tonic_types::StatusExt as _;

use super::{PageReader, PagedMethod, ids_of, place, reversed, rows};
use crate::api::builders::{message, ok, reason_of, send_many, text};

async fn a_number_leads_to_the_page_that_a_walk_meets(test: &TestService) {
    send_many(test, 7).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(3)).await;
        assert_eq!(reader.page(listing, place(3, 1)).await, first);
        let pages = reader.walk(listing, first).await;
        for (number, page) in (1..).zip(&pages) {
            let by_number = reader.page(listing, place(3, number)).await;
            assert_eq!(by_number, *page, "{listing:?}");
        }
    }
}

async fn a_page_has_50_rows_unless_it_is_said_and_200_at_most(test: &TestService) {
    send_many(test, 201).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        for (asked, length) in [(0, 50), (1, 1), (200, 200), (201, 200), (i32::MAX, 200)] {
            let page = reader.page(listing, rows(asked)).await;
            assert_eq!(page.ids.len(), length, "{listing:?} {asked}");
        }
        let default = reader.page(listing, PageContext::default()).await;
        assert_eq!((default.ids.len(), default.number), (50, 1));
    }
}

async fn a_number_leads_over_10_000_rows_at_most(test: &TestService) {
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        for (rows_per_page, number) in [(1, 10_000), (50, 200), (200, 50), (1000, 50), (0, 200)] {
            let page = reader.page(listing, place(rows_per_page, number)).await;
            assert_eq!((page.number, page.ids.len()), (number, 0));
        }
        for (rows_per_page, number, field) in [
            (1, 10_001, "page_number"),
            (0, 201, "page_number"),
            (1000, 51, "page_number"),
            (200, i32::MAX, "page_number"),
            (1, -1, "page_number"),
            (-1, 1, "rows_per_page"),
            (i32::MIN, 0, "rows_per_page"),
        ] {
            let refused = reader.try_page(listing, place(rows_per_page, number)).await;
            let status = refused.expect_err("a refusal");
            assert_eq!(reason_of(&status), "INVALID_REQUEST");
            let found = status.get_details_bad_request().expect("violations");
            let found = &found.field_violations[0].field;
            assert_eq!(*found, format!("context.pagination.{field}"), "{listing:?}");
        }
    }
}

async fn an_empty_listing_has_one_empty_page(test: &TestService) {
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let page = reader.page(listing, rows(0)).await;
        assert_eq!((page.number, page.more), (1, (false, false)));
        assert!(page.ids.is_empty());
        for offset in [-1, 0] {
            let again = reader.turn(listing, &page, offset).await;
            assert_eq!((again.number, again.ids.len()), (1, 0), "{listing:?}");
        }
    }
}

async fn a_page_of_large_contents_is_short_and_the_walk_still_complete(test: &TestService) {
    let mut alice = test.user("alice");
    let mut sent = Vec::new();
    for _ in 0..40 {
        let request = message(&["bob"], text(&"x".repeat(32_000)));
        sent.push(ok(alice.send_message(request)).await.message_id);
    }
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(200)).await;
        assert!((10..=16).contains(&first.ids.len()), "{}", first.ids.len());
        let pages = reader.walk(listing, first).await;
        assert_eq!(ids_of(&pages), reversed(&sent), "{listing:?}");
        let last = &pages[pages.len() - 1];
        let back = reader.turn(listing, last, -1).await;
        assert!((10..=16).contains(&back.ids.len()) && back.more == (true, true));
    }
}

async fn a_count_that_is_not_free_must_be_asked_for(test: &TestService) {
    send_many(test, 3).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let counting = |do_count| PageContext {
            pagination: Some(Pagination {
                do_count,
                rows_per_page: 2,
                ..Default::default()
            }),
            ..Default::default()
        };
        let page = reader.page(listing, counting(true)).await;
        assert_eq!(page.count, (3, false), "{listing:?}");
        assert_eq!(reader.turn(listing, &page, 1).await.count, (3, false));
        let page = reader.page(listing, counting(false)).await;
        let free = if listing == PagedMethod::Repository {
            -1
        } else {
            3
        };
        assert_eq!(page.count, (free, false), "{listing:?}");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let mut reader = PageReader::of(test);
    let wrong = PageContext {
        sort_criteria: Some(SortCriteria {
            field: 3,
            direction: -1,
        }),
        view: 4,
        ..place(-1, -1)
    };
    for listing in PagedMethod::ALL {
        let refused = reader.try_page(listing, wrong.clone()).await;
        let status = refused.expect_err("a refusal");
        assert_eq!(reason_of(&status), "INVALID_REQUEST");
        let violations = status.get_details_bad_request().expect("violations");
        let violations = violations.field_violations.into_iter();
        let found: Vec<_> = violations.map(|violation| violation.field).collect();
        let expected = [
            "sort_criteria.field",
            "sort_criteria.direction",
            "view",
            "pagination.rows_per_page",
            "pagination.page_number",
        ];
        assert_eq!(
            found,
            expected.map(|field| format!("context.{field}")),
            "{listing:?}"
        );
    }
}

on_each_database![
    a_number_leads_to_the_page_that_a_walk_meets,
    a_page_has_50_rows_unless_it_is_said_and_200_at_most,
    a_number_leads_over_10_000_rows_at_most,
    an_empty_listing_has_one_empty_page,
    a_page_of_large_contents_is_short_and_the_walk_still_complete,
    a_count_that_is_not_free_must_be_asked_for,
    all_violations_are_reported_at_once,
];
