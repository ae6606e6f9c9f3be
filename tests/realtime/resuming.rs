//! Resuming of streams from cursors, and the reasons for a resync.

use domain::operation::TrimTombstones;
use domain::{Action, AppId, Operation, ProfileId};
use proto::v1;
use support::issuer::APP;
use support::on_each_database;
use support::service::TestService;

use super::subscriber::{FrameSummary, StreamSubscriber, is_change};
use crate::api::builders::{delete, mark, ok, send, send_many};
use crate::conformance::fixture::in_time;

/// Changes of all kinds; the cursor before them.
async fn storm(test: &TestService) -> String {
    let old = send_many(test, 6).await;
    let request = v1::GetMessageCountsRequest {};
    let start = ok(test.user("bob").get_message_counts(request))
        .await
        .cursor;
    let new = send_many(test, 5).await;
    mark(test, &old[..3], false).await;
    mark(test, &new[..3], false).await;
    delete(test, "bob", "inbox", &old[2..4]).await;
    delete(test, "bob", "inbox", &new[2..4]).await;
    send(test, "bob", &["bob"]).await;
    start
}

async fn changes(test: &TestService, cursor: &str) -> Vec<(FrameSummary, String)> {
    let mut bob = StreamSubscriber::of(test.user("bob"), cursor).await;
    let mut seen = Vec::new();
    loop {
        let event = bob.next().await;
        let short = super::subscriber::short(&event);
        if short.0 == "caught up" {
            return seen;
        }
        if is_change(&short) {
            seen.push((short, event.cursor));
        }
    }
}

async fn a_stream_resumed_after_any_frame_neither_loses_nor_repeats_changes(test: &TestService) {
    let start = storm(test).await;
    for from in [start.as_str(), "0"] {
        let all = changes(test, from).await;
        assert!(all.len() >= 8, "{all:?}");
        for (cut, (_, cursor)) in all.iter().enumerate() {
            assert_eq!(changes(test, cursor).await, all[cut + 1..]);
        }
    }
}

async fn polling_and_streaming_see_the_same(test: &TestService) {
    let start = storm(test).await;
    for from in [start.as_str(), "0"] {
        let streamed = changes(test, from).await;
        for limit in [1, 2, 3, 500] {
            let mut cursor = from.to_owned();
            let mut polled = Vec::new();
            loop {
                let request = v1::GetChangesRequest {
                    cursor: cursor.clone(),
                    limit,
                    ..Default::default()
                };
                let answer = ok(test.user("bob").get_changes(request)).await;
                let events = answer.events.iter();
                polled.extend(
                    events.map(|event| (super::subscriber::short(event), event.cursor.clone())),
                );
                cursor = answer.cursor;
                if !answer.more {
                    break;
                }
            }
            assert_eq!(polled, streamed, "{limit}");
        }
    }
}

/// Polls changes one at a time until `count` are seen or none is left.
async fn steps(test: &TestService, cursor: &mut String, count: usize) -> Vec<FrameSummary> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let request = v1::GetChangesRequest {
            cursor: cursor.clone(),
            limit: 1,
            ..Default::default()
        };
        let answer = ok(test.user("bob").get_changes(request)).await;
        *cursor = answer.cursor;
        seen.extend(answer.events.iter().map(super::subscriber::short));
        if !answer.more {
            break;
        }
    }
    seen
}

async fn an_entry_changed_before_it_was_shown_is_new(test: &TestService) {
    let ids = send_many(test, 4).await;
    let new = |number: usize| ("new", ids[number].clone());
    let mut cursor = "0".to_owned();
    assert_eq!(steps(test, &mut cursor, 1).await, [new(0)]);
    // One that was shown, and one that was not.
    mark(test, &[&ids[0]], false).await;
    mark(test, &[&ids[3]], false).await;
    let rest = [new(1), new(2), new(0), new(3)];
    assert_eq!(steps(test, &mut cursor, 9).await, rest);
    // Now the reader has everything.
    mark(test, &[&ids[3]], true).await;
    let changed = ("changed", ids[3].clone());
    assert_eq!(steps(test, &mut cursor, 9).await, [changed]);
}

async fn the_cursor_of_a_page_resumes_without_loss(test: &TestService) {
    send_many(test, 3).await;
    let request = v1::GetMessagesPageRequest::default();
    let page = ok(test.user("bob").get_messages_page(request)).await;
    let page = page.results.expect("a page");
    let id = send(test, "alice", &["bob"]).await;
    let seen = changes(test, &page.cursor).await;
    let seen: Vec<_> = seen.into_iter().map(|(short, _)| short).collect();
    assert_eq!(seen, [("new", id)]);
}

async fn backlog(test: &TestService, cursor: &str) -> Vec<FrameSummary> {
    let mut bob = StreamSubscriber::of(test.user("bob"), cursor).await;
    let seen = bob.backlog().await;
    // It goes on from there.
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
    seen
}

async fn an_invalid_cursor_yields_the_resync_reason(test: &TestService) {
    let start = storm(test).await;
    let app = AppId::parse(APP).expect("an app id");
    let trim = Operation {
        request: None,
        action: Action::TrimTombstones(TrimTombstones {
            owner: ProfileId::parse("bob").expect("a profile id"),
            seq: i64::MAX,
        }),
    };
    let deadline = in_time();
    let trimmed = test.store.store.execute(&app, trim, deadline).await;
    trimmed.expect("it is trimmed");
    let too_old = ("resync", "RESYNC_REASON_CURSOR_TOO_OLD".to_owned());
    assert_eq!(backlog(test, &start).await, [too_old]);
    assert!(
        backlog(test, "0")
            .await
            .iter()
            .all(|(what, _)| *what != "resync")
    );

    let request = v1::GetMessageCountsRequest {};
    let now = ok(test.user("bob").get_message_counts(request))
        .await
        .cursor;
    test.store.store.new_epoch().await.expect("a new epoch");
    let changed = ("resync", "RESYNC_REASON_EPOCH_CHANGED".to_owned());
    assert_eq!(backlog(test, &now).await, [changed]);
}

async fn a_new_epoch_yields_a_resync_in_open_streams(test: &TestService) {
    let mut bob = StreamSubscriber::of(test.user("bob"), "").await;
    bob.backlog().await;
    test.store.store.new_epoch().await.expect("a new epoch");
    let event = bob.next().await;
    let changed = ("resync", "RESYNC_REASON_EPOCH_CHANGED".to_owned());
    assert_eq!(super::subscriber::short(&event), changed);
}

on_each_database![
    a_stream_resumed_after_any_frame_neither_loses_nor_repeats_changes,
    polling_and_streaming_see_the_same,
    an_entry_changed_before_it_was_shown_is_new,
    the_cursor_of_a_page_resumes_without_loss,
    an_invalid_cursor_yields_the_resync_reason,
    a_new_epoch_yields_a_resync_in_open_streams,
];
