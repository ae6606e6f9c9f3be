//! Calls that the rules refuse.

use domain::limits::LIVE_BULK_MAX;
use futures::future::join_all;
use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;

use super::golden::compare;
use crate::api::builders::{
    SmallBoxes, UNKNOWN, configure, deletion, message, named, ok, refused, send, text,
};
use crate::api::sys::send_bulk::{to, to_all};

fn edit(id: &str, expected_version: Option<i64>) -> v1::EditMessageRequest {
    v1::EditMessageRequest {
        message_id: id.to_owned(),
        content: Some(text("new")),
        expected_version,
        ..Default::default()
    }
}

async fn refusals_have_golden_reasons(test: &SmallBoxes) {
    let id = send(test, "alice", &["bob"]).await;
    let (mut alice, mut bob, mut app) = (test.user("alice"), test.user("bob"), test.sys());
    let once = |text: v1::Content| v1::SendMessageRequest {
        request_id: "once".to_owned(),
        ..message(&["bob"], text)
    };
    ok(alice.send_message(once(text("a")))).await;
    let settings = sys::AppSettings {
        allow_self_send: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    join_all((0..LIVE_BULK_MAX).map(|_| to_all(test))).await;
    let cases = [
        (
            "a message that is not there",
            refused(bob.get_messages(named("inbox", &[UNKNOWN]))).await,
        ),
        (
            "an edit by a stranger",
            refused(test.user("mallory").edit_message(edit(&id, None))).await,
        ),
        (
            "an edit by a recipient",
            refused(bob.edit_message(edit(&id, None))).await,
        ),
        (
            "a recipient's deletion for everyone",
            refused(bob.delete_messages(deletion("inbox", &[&id], v1::DeleteScope::Everyone)))
                .await,
        ),
        (
            "a message to oneself where that is forbidden",
            refused(alice.send_message(message(&["alice"], text("hi")))).await,
        ),
        (
            "an edit of another version",
            refused(alice.edit_message(edit(&id, Some(7)))).await,
        ),
        (
            "an update of another version of the settings",
            refused(app.update_app_settings(sys::UpdateAppSettingsRequest {
                settings: Some(sys::AppSettings::default()),
                expected_version: Some(1),
                ..Default::default()
            }))
            .await,
        ),
        (
            "a request id with another body",
            refused(alice.send_message(once(text("b")))).await,
        ),
        (
            "a message into full inboxes only",
            refused(alice.send_message(message(&["bob"], text("hi")))).await,
        ),
        (
            "a bulk message beyond the maximum",
            refused(app.send_bulk(to(sys::BulkAudience::Everyone))).await,
        ),
    ];
    compare("rules", &cases);
}

on_each_database![refusals_have_golden_reasons];
