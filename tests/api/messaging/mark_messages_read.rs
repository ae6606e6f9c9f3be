use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    UNKNOWN, counts, entry, fields, mark, ok, reason, send, send_many, strings,
};

fn marking(msgbox: &str, ids: &[impl AsRef<str>]) -> v1::MarkMessagesReadRequest {
    v1::MarkMessagesReadRequest {
        msgbox: msgbox.to_owned(),
        message_ids: strings(ids),
        ..Default::default()
    }
}

async fn a_mark_changes_the_entry_of_its_owner_alone(test: &TestService) {
    let id = send(test, "alice", &["bob", "carol"]).await;
    test.store.clock.advance(1000);
    assert_eq!(mark(test, &[&id], false).await, 1);
    let marked = entry(test, "bob", "inbox", &id).await;
    assert!(marked.read && marked.version == 2);
    assert_eq!(marked.read_time, marked.update_time);
    assert_eq!(marked.message.expect("a message").version, 1);
    let others = entry(test, "carol", "inbox", &id).await;
    assert_eq!((others.read, others.version), (false, 1));
    assert_eq!(counts(test, "bob").await, (1, 0, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
}

async fn marking_again_keeps_the_first_read_time_and_the_version(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    mark(test, &[&id], false).await;
    let first = entry(test, "bob", "inbox", &id).await;
    test.store.clock.advance(60_000);
    assert_eq!(mark(test, &[&id], false).await, 1);
    assert_eq!(entry(test, "bob", "inbox", &id).await, first);
}

async fn unread_is_a_change_and_read_after_it_another(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(mark(test, &[&id], true).await, 1);
    assert_eq!(entry(test, "bob", "inbox", &id).await.version, 1);

    mark(test, &[&id], false).await;
    let first = entry(test, "bob", "inbox", &id).await;
    test.store.clock.advance(1000);
    assert_eq!(mark(test, &[&id], true).await, 1);
    let unread = entry(test, "bob", "inbox", &id).await;
    assert_eq!(
        (unread.read, unread.read_time, unread.version),
        (false, None, 3)
    );
    assert_eq!(counts(test, "bob").await, (1, 1, 0));

    test.store.clock.advance(1000);
    mark(test, &[&id], false).await;
    let again = entry(test, "bob", "inbox", &id).await;
    assert!(again.read && again.version == 4 && again.read_time != first.read_time);
    assert_eq!(counts(test, "bob").await, (1, 0, 0));
}

async fn distinct_ids_are_requested_and_those_that_exist_are_actual(test: &TestService) {
    let ids = send_many(test, 2).await;
    mark(test, &ids[..1], false).await;
    let asked = [&ids[0], &ids[1], &ids[1], UNKNOWN, "no-uuid"];
    let marked = ok(test
        .user("bob")
        .mark_messages_read(marking("inbox", &asked)))
    .await;
    assert_eq!((marked.requested, marked.actual), (4, 2));
    assert_eq!(counts(test, "bob").await, (2, 0, 0));
}

async fn marking_in_sent_is_accepted_and_changes_nothing(test: &TestService) {
    let id = send(test, "bob", &["bob"]).await;
    let before = entry(test, "bob", "sent", &id).await;
    let marked = ok(test.user("bob").mark_messages_read(marking("sent", &[&id]))).await;
    assert_eq!((marked.requested, marked.actual), (1, 1));
    assert_eq!(entry(test, "bob", "sent", &id).await, before);
    assert!(!before.read);
    assert_eq!(counts(test, "bob").await, (1, 1, 1));
}

async fn one_to_five_hundred_ids_can_be_marked(test: &TestService) {
    let mut bob = test.user("bob");
    for (count, fits) in [(0, false), (1, true), (500, true), (501, false)] {
        let request = marking("inbox", &vec![UNKNOWN; count]);
        let answer = bob.mark_messages_read(request).await;
        assert_eq!(answer.is_ok(), fits, "{count} ids");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let wrong = v1::MarkMessagesReadRequest {
        request_id: "a b".to_owned(),
        ..marking("Inbox", &[""; 0])
    };
    let mut bob = test.user("bob");
    let found = fields(bob.mark_messages_read(wrong)).await;
    assert_eq!(found, ["msgbox", "message_ids", "request_id"]);
    let unknown = bob.mark_messages_read(marking("", &[UNKNOWN]));
    assert_eq!(reason(unknown).await, "MSGBOX_UNKNOWN");
}

on_each_database![
    a_mark_changes_the_entry_of_its_owner_alone,
    marking_again_keeps_the_first_read_time_and_the_version,
    unread_is_a_change_and_read_after_it_another,
    distinct_ids_are_requested_and_those_that_exist_are_actual,
    marking_in_sent_is_accepted_and_changes_nothing,
    one_to_five_hundred_ids_can_be_marked,
    all_violations_are_reported_at_once,
];
