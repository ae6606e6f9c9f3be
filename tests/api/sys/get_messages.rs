use proto::sys::v1::{GetMessagesRequest, GetMessagesResponse};
use proto::v1::{MessageKind, SendMessageRequest};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    UNKNOWN, announce, counts, delete, entry, fields, is_stored, message, ok, profiles, reason,
    send, send_many, strings, text,
};

fn named(ids: &[impl AsRef<str>]) -> GetMessagesRequest {
    GetMessagesRequest {
        message_ids: strings(ids),
        view: 0,
    }
}

fn ids(got: &GetMessagesResponse) -> Vec<&String> {
    got.items
        .iter()
        .map(|message| &message.message_id)
        .collect()
}

async fn messages_come_in_the_order_of_the_request(test: &TestService) {
    let [to_bob, to_carol, system] = [
        send(test, "alice", &["bob"]).await,
        send(test, "bob", &["carol"]).await,
        announce(test, &["dora"]).await,
    ];
    let asked = [&system, &to_carol, "no-uuid", UNKNOWN, &to_carol, &to_bob];
    let got = ok(test.sys().get_messages(named(&asked))).await;
    assert_eq!((got.requested, got.actual), (5, 3));
    assert_eq!(ids(&got), [&system, &to_carol, &to_bob]);
    assert_eq!(got.missing_message_ids, ["no-uuid", UNKNOWN]);
    assert_eq!(got.items[0].kind(), MessageKind::System);
    let of_carol = entry(test, "carol", "inbox", &to_carol).await;
    assert_eq!(of_carol.message.as_ref(), Some(&got.items[1]));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
}

async fn a_call_with_unknown_ids_only_is_not_found(test: &TestService) {
    for asked in [[UNKNOWN, UNKNOWN], ["no-uuid", UNKNOWN]] {
        let reason = reason(test.sys().get_messages(named(&asked))).await;
        assert_eq!(reason, "MESSAGE_NOT_FOUND");
    }
}

async fn a_message_stays_when_no_box_holds_it_any_more(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    delete(test, "alice", "sent", &[&id]).await;
    delete(test, "bob", "inbox", &[&id]).await;
    assert!(is_stored(test, &id).await);
}

async fn messages_that_do_not_fit_remain(test: &TestService) {
    let mut alice = test.user("alice");
    let mut sent = Vec::new();
    for _ in 0..110 {
        let request: SendMessageRequest = message(&["bob"], text(&"x".repeat(32_000)));
        sent.push(ok(alice.send_message(request)).await.message_id);
    }
    let mut asked = sent.clone();
    asked.push(UNKNOWN.to_owned());
    let mut got = ok(test.sys().get_messages(named(&asked))).await;
    assert_eq!(got.missing_message_ids, [UNKNOWN]);
    assert!((80..110).contains(&got.actual), "{}", got.actual);
    let mut seen = strings(&ids(&got));
    while !got.remaining_message_ids.is_empty() {
        got = ok(test.sys().get_messages(named(&got.remaining_message_ids))).await;
        seen.extend(strings(&ids(&got)));
    }
    assert_eq!(seen, sent);
}

async fn many_recipients_leave_room_for_fewer_messages(test: &TestService) {
    let long = profiles(500).into_iter().map(|id| id + &"x".repeat(124));
    let to: Vec<_> = long.collect();
    let mut sent = Vec::new();
    for _ in 0..50 {
        sent.push(announce(test, &to.iter().map(String::as_str).collect::<Vec<_>>()).await);
    }
    let got = ok(test.sys().get_messages(named(&sent))).await;
    let bytes = prost::Message::encoded_len(&got);
    assert!((2 << 20..3 << 20).contains(&bytes), "{bytes}");
    assert_eq!(got.remaining_message_ids, sent[got.items.len()..]);
}

async fn one_to_five_hundred_ids_can_be_asked_for(test: &TestService) {
    let id = send_many(test, 1).await.remove(0);
    let mut app = test.sys();
    for (count, fits) in [(0, false), (1, true), (500, true), (501, false)] {
        let answer = app.get_messages(named(&vec![&id; count])).await;
        assert_eq!(answer.is_ok(), fits, "{count} ids");
    }
    let wrong = GetMessagesRequest {
        message_ids: vec![],
        view: -1,
    };
    assert_eq!(
        fields(app.get_messages(wrong)).await,
        ["message_ids", "view"]
    );
}

on_each_database![
    messages_come_in_the_order_of_the_request,
    a_call_with_unknown_ids_only_is_not_found,
    a_message_stays_when_no_box_holds_it_any_more,
    messages_that_do_not_fit_remain,
    many_recipients_leave_room_for_fewer_messages,
    one_to_five_hundred_ids_can_be_asked_for,
];
