use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{counts, delete, mark, ok, send, send_many};

async fn cursor(test: &TestService, who: &str) -> String {
    let request = v1::GetMessageCountsRequest {};
    ok(test.user(who).get_message_counts(request)).await.cursor
}

async fn the_counts_follow_every_change(test: &TestService) {
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    let ids = send_many(test, 3).await;
    assert_eq!(counts(test, "bob").await, (3, 3, 0));
    assert_eq!(counts(test, "alice").await, (0, 0, 3));
    mark(test, &ids[..2], false).await;
    assert_eq!(counts(test, "bob").await, (3, 1, 0));
    delete(test, "bob", "inbox", &ids[1..]).await;
    assert_eq!(counts(test, "bob").await, (1, 0, 0));
    mark(test, &ids[..1], true).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "alice").await, (0, 0, 3));
}

async fn a_message_to_oneself_counts_in_both_boxes(test: &TestService) {
    send(test, "bob", &["bob"]).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 1));
}

async fn the_cursor_moves_with_every_change_and_only_then(test: &TestService) {
    let mut seen = vec![cursor(test, "bob").await];
    let ids = send_many(test, 2).await;
    seen.push(cursor(test, "bob").await);
    mark(test, &ids, false).await;
    seen.push(cursor(test, "bob").await);
    delete(test, "bob", "inbox", &ids[..1]).await;
    seen.push(cursor(test, "bob").await);
    let last = seen.last().expect("a cursor").clone();
    seen.dedup();
    assert_eq!(seen.len(), 4);

    mark(test, &ids, false).await;
    send(test, "alice", &["carol"]).await;
    assert_eq!(cursor(test, "bob").await, last);
}

async fn a_page_has_the_cursor_of_the_counts(test: &TestService) {
    send_many(test, 2).await;
    let request = v1::GetMessagesPageRequest::default();
    let page = ok(test.user("bob").get_messages_page(request)).await;
    let of_page = page.results.expect("a page").cursor;
    assert_eq!(of_page, cursor(test, "bob").await);
    assert_ne!(of_page, cursor(test, "alice").await);
}

on_each_database![
    the_counts_follow_every_change,
    a_message_to_oneself_counts_in_both_boxes,
    the_cursor_moves_with_every_change_and_only_then,
    a_page_has_the_cursor_of_the_counts,
];
