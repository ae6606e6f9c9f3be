use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{UNKNOWN, counts, entry, fields, ok, send, send_many, strings};

fn marking(ids: &[impl AsRef<str>]) -> v1::MarkMessagesDeliveredRequest {
    v1::MarkMessagesDeliveredRequest {
        message_ids: strings(ids),
    }
}

async fn the_first_delivery_is_kept_and_nothing_else_changes(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let before = entry(test, "bob", "inbox", &id).await;
    test.store.clock.advance(1000);
    let mut bob = test.user("bob");
    let marked = ok(bob.mark_messages_delivered(marking(&[&id]))).await;
    assert_eq!((marked.requested, marked.actual), (1, 1));
    let first = entry(test, "bob", "inbox", &id).await;
    assert!(first.delivered_time.is_some() && first.delivered_time != before.update_time);
    let expected = v1::MsgboxEntry {
        delivered_time: first.delivered_time,
        ..before
    };
    assert_eq!(first, expected);
    test.store.clock.advance(1000);
    ok(bob.mark_messages_delivered(marking(&[&id]))).await;
    assert_eq!(entry(test, "bob", "inbox", &id).await, first);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn distinct_ids_are_requested_and_those_in_the_inbox_are_actual(test: &TestService) {
    let ids = send_many(test, 2).await;
    let own = send(test, "bob", &["carol"]).await;
    let asked = [&ids[0], &ids[1], &ids[1], &own, UNKNOWN, "no-uuid"];
    let mut bob = test.user("bob");
    let marked = ok(bob.mark_messages_delivered(marking(&asked))).await;
    assert_eq!((marked.requested, marked.actual), (5, 2));
    let mut alice = test.user("alice");
    let marked = ok(alice.mark_messages_delivered(marking(&ids))).await;
    assert_eq!((marked.requested, marked.actual), (2, 0));
    let found = fields(bob.mark_messages_delivered(marking(&[""; 0]))).await;
    assert_eq!(found, ["message_ids"]);
}

on_each_database![
    the_first_delivery_is_kept_and_nothing_else_changes,
    distinct_ids_are_requested_and_those_in_the_inbox_are_actual,
];
