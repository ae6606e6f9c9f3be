//! Canaries: no request value appears in an error or in the log of errors.

use prost_types::Timestamp;
use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::content::Body;
use serde_json::json;
use support::issuer::{APP, TestIssuer, user_claims};
use support::on_each_database;
use support::service::TestService;
use tonic::Status;

use crate::api::builders::{
    content, message, named, notice, ok, parts, refused, sealed, send, strings, text, wrap,
};

const CANARY: &str = "kanarienvogel";

/// A canary where only bytes of an id may be.
fn bad() -> String {
    format!("{CANARY}\n{CANARY}")
}

fn assert_silent(status: &Status) {
    let details = String::from_utf8_lossy(status.details());
    let metadata = format!("{:?}", status.metadata());
    for text in [status.message(), &details, &metadata] {
        assert!(!text.contains(CANARY), "{status:?}");
    }
}

async fn errors_do_not_repeat_request_values(test: &TestService) {
    let (mut alice, mut app) = (test.user("alice"), test.sys());
    let broken = v1::SealedContent {
        scheme: CANARY.repeat(10),
        sender_key_id: CANARY.repeat(10),
        keys: vec![wrap(CANARY), wrap(&bad())],
        ..sealed()
    };
    let everything = v1::SendMessageRequest {
        to: strings(&[bad(), CANARY.repeat(20)]),
        content: Some(content(Body::Sealed(broken))),
        request_id: bad(),
        expire_after: None,
        notification: Some(v1::Notification {
            title: CANARY.repeat(1000),
            text: CANARY.repeat(1000),
            sound: CANARY.repeat(10),
            data: [(CANARY.repeat(500), CANARY.repeat(500))].into(),
        }),
        conversation_id: CANARY.to_owned(),
    };
    let criteria = v1::SearchCriteria {
        msgbox: CANARY.to_owned(),
        sender_profile_id: bad(),
        to_profile_id: bad(),
        party_profile_id: bad(),
        sent_after: Some(Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        conversation_id: CANARY.to_owned(),
        ..Default::default()
    };
    let from = v1::Sender {
        profile_id: CANARY.to_owned(),
        name: CANARY.repeat(20),
        pic: CANARY.repeat(100),
    };
    for status in [
        refused(alice.send_message(everything)).await,
        refused(alice.send_message(message(&["bob"], parts(&[(CANARY, CANARY.as_bytes())])))).await,
        refused(alice.send_message(message(&["bob"], json_with_nul()))).await,
        refused(alice.send_message(message(&["bob"], text(&CANARY.repeat(4000))))).await,
        refused(alice.send_message(message(&["bob"], text(&CANARY.repeat(20_000))))).await,
        refused(alice.get_messages(named(CANARY, &[CANARY]))).await,
        refused(alice.get_messages(named("inbox", &[CANARY]))).await,
        refused(alice.get_messages_page(v1::GetMessagesPageRequest {
            context: Some(v1::PageContext {
                search_criteria: Some(criteria),
                ..Default::default()
            }),
        }))
        .await,
        refused(
            alice.get_messages_page_offset(v1::GetMessagesPageOffsetRequest {
                context: CANARY.to_owned(),
                page_offset: 1,
            }),
        )
        .await,
        refused(app.send_message(sys::SendMessageRequest {
            sender: Some(from),
            ..notice(&["bob"], text(CANARY))
        }))
        .await,
        refused(
            app.get_message_counts_for_owner(sys::GetMessageCountsForOwnerRequest {
                owner_profile_id: bad(),
            }),
        )
        .await,
    ] {
        assert_silent(&status);
    }
}

fn json_with_nul() -> v1::Content {
    crate::api::builders::json(json!({ CANARY: format!("{CANARY}\0") }))
}

async fn refusals_reveal_no_message_and_no_token(test: &TestService) {
    let mut canary = test.user(CANARY);
    let once = |content| v1::SendMessageRequest {
        request_id: CANARY.to_owned(),
        ..message(&["bob"], content)
    };
    let sent = ok(canary.send_message(once(text(CANARY)))).await;
    let id = send(test, CANARY, &["bob"]).await;
    let edit = |expected_version| v1::EditMessageRequest {
        message_id: id.clone(),
        content: Some(text(CANARY)),
        expected_version,
        ..Default::default()
    };
    let mut claims = user_claims(APP, CANARY, test.now_s());
    claims["sub"] = json!(CANARY.repeat(60));
    let token = TestIssuer::shared().sign(&claims);
    let counts = || v1::GetMessageCountsRequest {};
    for status in [
        refused(canary.send_message(once(text("another")))).await,
        refused(test.user("bob").edit_message(edit(None))).await,
        refused(test.user("eve").edit_message(edit(None))).await,
        refused(canary.edit_message(edit(Some(9)))).await,
        refused(test.listeners.user(CANARY).get_message_counts(counts())).await,
        refused(test.listeners.user(&token).get_message_counts(counts())).await,
    ] {
        assert_silent(&status);
        let all = format!("{status:?}");
        assert!(!all.contains(&sent.message_id) && !all.contains(&token));
    }
}

on_each_database![
    errors_do_not_repeat_request_values,
    refusals_reveal_no_message_and_no_token,
];
