//! Calls that the rules refuse.

use domain::limits::{BLOCKS_MAX, LIVE_BULK_MAX};
use domain::operation::BlockProfile;
use domain::{Action, AppId, Operation, ProfileId};
use futures::future::join_all;
use proto::sys::v1 as sys;
use proto::v1;
use support::issuer::APP;
use support::on_each_database;

use super::golden::compare;
use crate::api::builders::{
    SmallBoxes, UNKNOWN, configure, deletion, message, named, ok, refused, send, text,
};
use crate::api::sys::send_bulk::{to, to_all};
use crate::conformance::fixture::in_time;

fn edit(id: &str, expected_version: Option<i64>) -> v1::EditMessageRequest {
    v1::EditMessageRequest {
        message_id: id.to_owned(),
        content: Some(text("new")),
        expected_version,
        ..Default::default()
    }
}

/// Carol blocks as many profiles as one may.
async fn fill_blocks(test: &SmallBoxes) {
    let app = AppId::parse(APP).expect("an app id");
    let block = |number: u32| {
        let profile = |name: &str| ProfileId::parse(name).expect("a profile id");
        let action = Action::BlockProfile(BlockProfile {
            owner: profile("carol"),
            profile_id: profile(&format!("p{number}")),
        });
        let operation = Operation {
            request: None,
            action,
        };
        test.store.store.execute(&app, operation, in_time())
    };
    // As many as a queue takes at once.
    for first in (0..BLOCKS_MAX).step_by(1_000) {
        let blocked = join_all((first..first + 1_000).map(block)).await;
        assert!(blocked.iter().all(Result::is_ok));
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
        allow_unknown_recipients: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut zoe = test.user("zoe");
    join_all((0..LIVE_BULK_MAX).map(|_| to_all(test))).await;
    fill_blocks(test).await;
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
            "an erasure that was not requested",
            refused(app.get_erasure(sys::GetErasureRequest {
                profile_id: "eve".to_owned(),
            }))
            .await,
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
            "a message to unknown recipients only",
            refused(zoe.send_message(message(&["nobody", "noone"], text("hi")))).await,
        ),
        (
            "a bulk message beyond the maximum",
            refused(app.send_bulk(to(sys::BulkAudience::Everyone))).await,
        ),
        (
            "a block beyond the maximum",
            refused(test.user("carol").block_profile(v1::BlockProfileRequest {
                profile_id: "eve".to_owned(),
                request_id: String::new(),
            }))
            .await,
        ),
    ];
    compare("rules", &cases);
}

on_each_database![refusals_have_golden_reasons];
