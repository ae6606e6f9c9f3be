use std::collections::BTreeSet;

use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    UNKNOWN, configure, counts, entry, fields, message, named, ok, reason, send, send_many,
    strings, text,
};

fn ids(items: &[v1::MsgboxEntry]) -> Vec<String> {
    items.iter().map(|item| item.message_id.clone()).collect()
}

fn marking(request: v1::GetMessagesRequest) -> v1::GetMessagesRequest {
    v1::GetMessagesRequest {
        mark_as_read: true,
        ..request
    }
}

async fn get(test: &TestService, request: v1::GetMessagesRequest) -> v1::GetMessagesResponse {
    ok(test.user("bob").get_messages(request)).await
}

async fn entries_come_in_the_order_of_the_request_and_duplicates_count_once(test: &TestService) {
    let sent = send_many(test, 3).await;
    let asked = [&sent[2], &sent[0], &sent[2], &sent[1], &sent[0]];
    let got = get(test, named("inbox", &asked)).await;
    assert_eq!((got.requested, got.actual), (3, 3));
    let order = [&sent[2], &sent[0], &sent[1]];
    assert_eq!(ids(&got.items), strings(&order));
    assert!(got.missing_message_ids.is_empty() && got.remaining_message_ids.is_empty());
}

async fn unknown_ids_are_missing(test: &TestService) {
    let sent = send_many(test, 2).await;
    let elsewhere = send(test, "alice", &["carol"]).await;
    let asked = ["no-uuid", &sent[1], UNKNOWN, &elsewhere, "", &sent[0]];
    let got = get(test, named("inbox", &asked)).await;
    assert_eq!((got.requested, got.actual), (6, 2));
    assert_eq!(ids(&got.items), strings(&[&sent[1], &sent[0]]));
    let missing = ["no-uuid", UNKNOWN, &elsewhere, ""];
    assert_eq!(got.missing_message_ids, strings(&missing));
}

async fn a_call_with_unknown_ids_only_is_not_found(test: &TestService) {
    let sent = send(test, "alice", &["bob"]).await;
    let mut bob = test.user("bob");
    for request in [
        named("inbox", &[UNKNOWN]),
        named("inbox", &["no-uuid"]),
        named("sent", &[&sent]),
    ] {
        let reason = reason(bob.get_messages(request)).await;
        assert_eq!(reason, "MESSAGE_NOT_FOUND");
    }
}

async fn an_id_may_be_written_in_capitals(test: &TestService) {
    let sent = send(test, "alice", &["bob"]).await;
    let asked = [sent.to_uppercase(), sent.clone()];
    let got = get(test, named("inbox", &asked)).await;
    assert_eq!((got.requested, got.actual), (1, 1));
    assert_eq!(ids(&got.items), [sent]);
}

async fn getting_changes_nothing(test: &TestService) {
    let sent = send(test, "alice", &["bob"]).await;
    let first = entry(test, "bob", "inbox", &sent).await;
    test.store.clock.advance(1000);
    assert_eq!(entry(test, "bob", "inbox", &sent).await, first);
    assert_eq!(
        (first.read, first.read_time, first.version),
        (false, None, 1)
    );
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn marking_shows_the_state_after(test: &TestService) {
    let sent = send_many(test, 2).await;
    test.store.clock.advance(1000);
    let got = get(test, marking(named("inbox", &sent))).await;
    for item in &got.items {
        assert!(item.read && item.version == 2);
        assert_eq!(item.read_time, item.update_time);
        assert_ne!(item.read_time, item.create_time);
    }
    assert_eq!(counts(test, "bob").await, (2, 0, 0));

    test.store.clock.advance(1000);
    assert_eq!(get(test, marking(named("inbox", &sent))).await, got);
    assert_eq!(get(test, named("inbox", &sent)).await, got);
}

async fn marking_in_sent_changes_nothing(test: &TestService) {
    let sent = send(test, "bob", &["alice"]).await;
    let before = entry(test, "bob", "sent", &sent).await;
    let got = get(test, marking(named("sent", &[&sent]))).await;
    assert_eq!(got.items, std::slice::from_ref(&before));
    assert!(!before.read && before.msgbox == "sent");
    assert_eq!(entry(test, "alice", "inbox", &sent).await.version, 1);
}

async fn entries_that_do_not_fit_remain_unmarked_and_are_not_missing(test: &TestService) {
    let largest = sys::AppSettings {
        max_content_bytes: Some(65_536),
        ..Default::default()
    };
    configure(test, largest).await;
    let long = "x".repeat(65_000);
    let mut sent = Vec::new();
    for _ in 0..60 {
        let request = message(&["bob"], text(&long));
        sent.push(
            ok(test.user("alice").send_message(request))
                .await
                .message_id,
        );
    }
    let mut asked = sent.clone();
    asked.push(UNKNOWN.to_owned());
    let got = get(test, marking(named("inbox", &asked))).await;
    let fitting = got.items.len();
    assert!((40..60).contains(&fitting), "{fitting}");
    assert_eq!((got.requested, got.actual as usize), (61, fitting));
    assert_eq!(ids(&got.items), sent[..fitting]);
    assert_eq!(got.remaining_message_ids, sent[fitting..]);
    assert_eq!(got.missing_message_ids, [UNKNOWN]);
    let unread = u32::try_from(60 - fitting).expect("a number");
    assert_eq!(counts(test, "bob").await, (60, unread, 0));

    let rest = get(test, named("inbox", &got.remaining_message_ids)).await;
    assert!(rest.items.iter().all(|item| !item.read));
    let seen: BTreeSet<String> = ids(&got.items)
        .into_iter()
        .chain(ids(&rest.items))
        .collect();
    assert_eq!(seen, sent.into_iter().collect());
}

async fn one_to_five_hundred_ids_can_be_asked_for(test: &TestService) {
    let sent = send(test, "alice", &["bob"]).await;
    let mut bob = test.user("bob");
    for (count, fits) in [(0, false), (1, true), (500, true), (501, false)] {
        let request = named("inbox", &vec![&sent; count]);
        let answer = bob.get_messages(request).await;
        assert_eq!(answer.is_ok(), fits, "{count} ids");
    }
    let request = named("inbox", &vec![&sent; 501]);
    assert_eq!(reason(bob.get_messages(request)).await, "INVALID_REQUEST");
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let wrong = v1::GetMessagesRequest {
        view: 99,
        ..named("drafts", &[""; 0])
    };
    let mut bob = test.user("bob");
    let found = fields(bob.get_messages(wrong.clone())).await;
    assert_eq!(found, ["msgbox", "message_ids", "view"]);
    assert_eq!(reason(bob.get_messages(wrong)).await, "INVALID_REQUEST");
    let unknown = bob.get_messages(named("drafts", &[UNKNOWN]));
    assert_eq!(reason(unknown).await, "MSGBOX_UNKNOWN");
}

on_each_database![
    entries_come_in_the_order_of_the_request_and_duplicates_count_once,
    unknown_ids_are_missing,
    a_call_with_unknown_ids_only_is_not_found,
    an_id_may_be_written_in_capitals,
    getting_changes_nothing,
    marking_shows_the_state_after,
    marking_in_sent_changes_nothing,
    entries_that_do_not_fit_remain_unmarked_and_are_not_missing,
    one_to_five_hundred_ids_can_be_asked_for,
    all_violations_are_reported_at_once,
];
