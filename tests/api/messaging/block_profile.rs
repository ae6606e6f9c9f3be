use proto::v1;
use proto::v1::event::Frame;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, counts, entry, message, ok, reason, send, text};

/// A user blocks a profile.
pub async fn block(test: &TestService, who: &str, other: &str) {
    ok(test.user(who).block_profile(blocking(other))).await;
}

fn blocking(other: &str) -> v1::BlockProfileRequest {
    v1::BlockProfileRequest {
        profile_id: other.to_owned(),
        request_id: String::new(),
    }
}

/// The feed of a mailbox from its beginning: its frames without counts, which have the time.
async fn feed(test: &TestService, who: &str) -> Vec<String> {
    let request = v1::GetChangesRequest {
        cursor: "0".to_owned(),
        ..Default::default()
    };
    let events = ok(test.user(who).get_changes(request)).await.events;
    let frames = events.into_iter().filter_map(|event| event.frame);
    let name = |frame| match frame {
        Frame::MessageReceived(entry) => format!("received {}", entry.msgbox),
        Frame::MessageUpdated(entry) => format!("updated {}", entry.msgbox),
        Frame::MessageDeleted(gone) => format!("deleted {}", gone.msgbox),
        _ => "other".to_owned(),
    };
    frames.map(name).collect()
}

async fn a_blocked_profile_cannot_tell(test: &TestService) {
    block(test, "bob", "eve").await;
    let mut told = Vec::new();
    for to in ["bob", "ann"] {
        let sent = ok(test.user("eve").send_message(message(&[to], text("hi")))).await;
        let id = sent.message_id.clone();
        let kept = entry(test, "eve", "sent", &id).await;
        let edit = v1::EditMessageRequest {
            message_id: id.clone(),
            content: Some(text("again")),
            ..Default::default()
        };
        let edited = ok(test.user("eve").edit_message(edit)).await;
        let shown = kept.message.expect("a message").to;
        told.push((sent.requested, sent.actual, kept.version, edited.version));
        assert_eq!(shown, [to]);
    }
    assert_eq!(told[0], told[1]);
    let sent = ["received sent", "received sent"];
    let seen = feed(test, "eve").await;
    assert_eq!(
        seen.iter()
            .filter(|frame| sent.contains(&frame.as_str()))
            .count(),
        2
    );
    assert_eq!(feed(test, "bob").await, [""; 0]);
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    assert_eq!(counts(test, "ann").await, (1, 1, 0));
}

async fn a_profile_gets_no_messages_of_those_it_blocks_nor_they_of_it(test: &TestService) {
    let old = send(test, "eve", &["bob"]).await;
    block(test, "bob", "eve").await;
    send(test, "bob", &["eve", "ann"]).await;
    send(test, "eve", &["bob", "ann"]).await;
    announce(test, &["bob", "eve"]).await;
    assert_eq!(counts(test, "eve").await, (1, 1, 2));
    assert_eq!(counts(test, "bob").await, (2, 2, 1));
    assert_eq!(counts(test, "ann").await, (2, 2, 0));
    entry(test, "bob", "inbox", &old).await;
}

async fn blocking_oneself_is_invalid(test: &TestService) {
    let refused = reason(test.user("bob").block_profile(blocking("bob"))).await;
    assert_eq!(refused, "INVALID_REQUEST");
    send(test, "bob", &["bob"]).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 1));
}

on_each_database![
    a_blocked_profile_cannot_tell,
    a_profile_gets_no_messages_of_those_it_blocks_nor_they_of_it,
    blocking_oneself_is_invalid,
];
