//! All devices of a user see what one of them, another user or the app does.

use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::subscriber::StreamSubscriber;
use crate::api::builders::{announce, delete, mark, ok, send, text};

async fn two(test: &TestService) -> [StreamSubscriber; 2] {
    let mut one = StreamSubscriber::of(test.user("bob"), "").await;
    let mut other = StreamSubscriber::of(test.user("bob"), "").await;
    one.backlog().await;
    other.backlog().await;
    [one, other]
}

async fn both_devices_see_the_changes_of_one_of_them(test: &TestService) {
    let mut devices = two(test).await;
    let first = send(test, "alice", &["bob"]).await;
    let expect = async |devices: &mut [StreamSubscriber; 2], what, id: &str| {
        for device in devices {
            assert_eq!(device.changes(1).await, [(what, id.to_owned())]);
        }
    };
    expect(&mut devices, "new", &first).await;
    mark(test, &[&first], false).await;
    expect(&mut devices, "changed", &first).await;
    mark(test, &[&first], true).await;
    expect(&mut devices, "changed", &first).await;
    delete(test, "bob", "inbox", &[&first]).await;
    expect(&mut devices, "gone", &first).await;
    let second = send(test, "bob", &["carol"]).await;
    expect(&mut devices, "new", &second).await;
    let clear = v1::ClearMessagesRequest {
        msgbox: "sent".to_owned(),
        ..Default::default()
    };
    ok(test.user("bob").clear_messages(clear)).await;
    expect(&mut devices, "gone", &second).await;
}

async fn updates_and_deletions_of_the_app_arrive(test: &TestService) {
    let id = announce(test, &["bob", "carol"]).await;
    let mut devices = two(test).await;
    let update = sys::UpdateMessageRequest {
        message_id: id.clone(),
        content: Some(text("other news")),
        ..Default::default()
    };
    ok(test.sys().update_message(update)).await;
    for device in &mut devices {
        assert_eq!(device.changes(1).await, [("changed", id.clone())]);
    }
    let delete = sys::DeleteMessageRequest {
        message_id: id.clone(),
        ..Default::default()
    };
    ok(test.sys().delete_message(delete)).await;
    for device in &mut devices {
        assert_eq!(device.changes(1).await, [("gone", id.clone())]);
    }
}

async fn a_stream_shows_its_own_mailbox_only(test: &TestService) {
    let [mut bob, _] = two(test).await;
    send(test, "alice", &["carol"]).await;
    let mut other_app = test.user_of("other", "alice");
    let message = crate::api::builders::message(&["bob"], text("elsewhere"));
    ok(other_app.send_message(message)).await;
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
}

on_each_database![
    both_devices_see_the_changes_of_one_of_them,
    updates_and_deletions_of_the_app_arrive,
    a_stream_shows_its_own_mailbox_only,
];
