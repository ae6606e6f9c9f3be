use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{delete, fields, mark, ok, reason, send, send_many};

/// Changes that a read examines.
const CHANGES_MAX: u32 = 500;

async fn changes(test: &TestService, request: v1::GetChangesRequest) -> v1::GetChangesResponse {
    ok(test.user("bob").get_changes(request)).await
}

fn from(cursor: &str) -> v1::GetChangesRequest {
    v1::GetChangesRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    }
}

async fn an_empty_cursor_begins_now(test: &TestService) {
    send_many(test, 2).await;
    let now = changes(test, from("")).await;
    assert!(now.events.is_empty() && !now.more);
    let id = send(test, "alice", &["bob"]).await;
    let next = changes(test, from(&now.cursor)).await;
    let [event] = next.events.as_slice() else {
        panic!("{next:?}");
    };
    assert_eq!(event.cursor, next.cursor);
    let Some(Frame::MessageReceived(entry)) = &event.frame else {
        panic!("{event:?}");
    };
    assert_eq!(entry.message_id, id);
    assert!(changes(test, from(&next.cursor)).await.events.is_empty());
}

async fn a_limit_cuts_the_changes_and_sets_more(test: &TestService) {
    send_many(test, 3).await;
    let request = v1::GetChangesRequest {
        limit: 2,
        ..from("0")
    };
    let first = changes(test, request).await;
    assert_eq!((first.events.len(), first.more), (2, true));
    let rest = changes(test, from(&first.cursor)).await;
    assert_eq!((rest.events.len(), rest.more), (1, false));
}

async fn a_poll_of_one_box_passes_over_the_changes_of_the_other(test: &TestService) {
    let start = changes(test, from("")).await.cursor;
    for _ in 0..3 {
        let sends = (0..CHANGES_MAX).map(|_| send(test, "bob", &["alice"]));
        join_all(sends).await;
    }
    let id = send(test, "alice", &["bob"]).await;
    let inbox = v1::GetChangesRequest {
        msgboxes: vec!["inbox".to_owned()],
        limit: 1,
        ..from(&start)
    };
    let answer = changes(test, inbox.clone()).await;
    assert_eq!((answer.events.len(), answer.more), (1, false));
    let request = v1::ClearMessagesRequest {
        msgbox: "sent".to_owned(),
        ..Default::default()
    };
    ok(test.user("bob").clear_messages(request)).await;
    delete(test, "bob", "inbox", &[id]).await;
    let next = v1::GetChangesRequest {
        cursor: answer.cursor,
        ..inbox
    };
    let answer = changes(test, next).await;
    let frames: Vec<_> = answer.events.iter().map(|event| &event.frame).collect();
    assert!(matches!(frames[..], [Some(Frame::MessageDeleted(_))]));
    assert!(!answer.more);
}

async fn polling_marks_nothing_as_delivered(test: &TestService) {
    let ids = send_many(test, 1).await;
    changes(test, from("0")).await;
    mark(test, &ids, false).await;
    let seen = changes(test, from("0")).await;
    let Some(Frame::MessageReceived(entry)) = &seen.events[0].frame else {
        panic!("{seen:?}");
    };
    assert!(entry.read && entry.delivered_time.is_none());
}

async fn foreign_and_altered_cursors_are_refused(test: &TestService) {
    let cursor = changes(test, from("")).await.cursor;
    let mut altered = cursor.clone();
    altered.replace_range(3..4, if &cursor[3..4] == "A" { "B" } else { "A" });
    for (who, cursor) in [("alice", &cursor), ("bob", &altered)] {
        let refused = reason(test.user(who).get_changes(from(cursor))).await;
        assert_eq!(refused, "CURSOR_INVALID");
        let mut user = test.user(who);
        let subscribed = user.subscribe(v1::SubscribeRequest {
            cursor: cursor.clone(),
            ..Default::default()
        });
        let status = subscribed.await.map(drop).expect_err("a refusal");
        assert_eq!(crate::api::builders::reason_of(&status), "CURSOR_INVALID");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let wrong = v1::GetChangesRequest {
        limit: -1,
        msgboxes: vec!["inbox".to_owned(), "drafts".to_owned()],
        view: 77,
        ..from("")
    };
    let found = fields(test.user("bob").get_changes(wrong)).await;
    assert_eq!(found, ["limit", "msgboxes[1]", "view"]);
}

on_each_database![
    an_empty_cursor_begins_now,
    a_limit_cuts_the_changes_and_sets_more,
    a_poll_of_one_box_passes_over_the_changes_of_the_other,
    polling_marks_nothing_as_delivered,
    foreign_and_altered_cursors_are_refused,
    all_violations_are_reported_at_once,
];
