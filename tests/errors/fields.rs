//! Fields that break their rules.

use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::golden::compare;
use crate::api::words::{
    UNKNOWN, json, message, named, notice, parts, profiles, refused, send, strings, text,
};

async fn field_problems_are_told_with_their_fields(test: &TestService) {
    let (mut alice, mut app) = (test.user("alice"), test.sys());
    let cases = [
        (
            "no message ids",
            refused(alice.get_messages(named("inbox", &[""; 0]))).await,
        ),
        (
            "501 message ids",
            refused(alice.get_messages(named("inbox", &[UNKNOWN; 501]))).await,
        ),
        (
            "a box that is not there",
            refused(alice.get_messages(named("drafts", &[UNKNOWN]))).await,
        ),
        (
            "an enum number that is not known",
            refused(alice.get_messages(v1::GetMessagesRequest {
                view: 99,
                ..named("inbox", &[UNKNOWN])
            }))
            .await,
        ),
        (
            "profile ids that are none",
            refused(alice.send_message(message(&["", "a b", &"x".repeat(129)], text("hi")))).await,
        ),
        (
            "no recipient",
            refused(alice.send_message(message(&[""; 0], text("hi")))).await,
        ),
        (
            "more recipients than the policy allows",
            refused(alice.send_message(message(&profiles(101), text("hi")))).await,
        ),
        (
            "more recipients than the app may name",
            refused(app.send_message(notice(&profiles(501), text("hi")))).await,
        ),
        (
            "no content",
            refused(alice.send_message(message(&["bob"], v1::Content::default()))).await,
        ),
        (
            "a content that breaks two rules",
            refused(
                alice.send_message(message(&["bob"], json(serde_json::json!(vec!["\0"; 1000])))),
            )
            .await,
        ),
        (
            "parts of no type",
            refused(alice.send_message(message(&["bob"], parts(&[("a/b", b""), ("a", b"")]))))
                .await,
        ),
        (
            "a text that is empty",
            refused(alice.send_message_simple(v1::SendMessageSimpleRequest {
                to: strings(&["bob"]),
                ..Default::default()
            }))
            .await,
        ),
        (
            "a content over the policy's size",
            refused(alice.send_message(message(&["bob"], text(&"x".repeat(33_000))))).await,
        ),
        (
            "a content over the cap",
            refused(app.send_message(notice(&["bob"], text(&"x".repeat(66_000))))).await,
        ),
        (
            "a profile id in from",
            refused(app.send_message(sys::SendMessageRequest {
                from: Some(v1::Sender {
                    profile_id: "bob".to_owned(),
                    name: "News".to_owned(),
                    pic: String::new(),
                }),
                ..notice(&["bob"], text("hi"))
            }))
            .await,
        ),
        (
            "no name in from",
            refused(app.send_message(sys::SendMessageRequest {
                from: None,
                ..notice(&["bob"], text("hi"))
            }))
            .await,
        ),
        (
            "an expected version that no message has",
            refused(app.delete_message(sys::DeleteMessageRequest {
                message_id: UNKNOWN.to_owned(),
                expected_version: Some(0),
                ..Default::default()
            }))
            .await,
        ),
        (
            "settings beyond the caps",
            refused(app.update_app_settings(sys::UpdateAppSettingsRequest {
                settings: Some(sys::AppSettings {
                    max_recipients: Some(0),
                    max_content_bytes: Some(65_537),
                    default_expiry: Some(prost_types::Duration::default()),
                    ..Default::default()
                }),
                ..Default::default()
            }))
            .await,
        ),
        (
            "everything at once",
            refused(alice.send_message(v1::SendMessageRequest {
                to: strings(&["a b"]),
                content: None,
                request_id: "a b".to_owned(),
                expire_after: Some(prost_types::Duration::default()),
                notification: Some(v1::Notification {
                    title: "x".repeat(129),
                    ..Default::default()
                }),
                conversation_id: "c".to_owned(),
            }))
            .await,
        ),
        (
            "more than twenty problems",
            refused(alice.send_message(message(&["a b"; 100], text("hi")))).await,
        ),
    ];
    compare("fields", &cases);
}

async fn page_problems_are_told_with_their_fields(test: &TestService) {
    let mut bob = test.user("bob");
    send(test, "alice", &["bob"]).await;
    let context = |search_criteria, rows_per_page, page_number| v1::GetMessagesPageRequest {
        context: Some(v1::PageContext {
            search_criteria,
            pagination: Some(v1::Pagination {
                rows_per_page,
                page_number,
                do_count: false,
            }),
            ..Default::default()
        }),
    };
    let criteria = v1::SearchCriteria {
        msgbox: "drafts".to_owned(),
        from_profile_id: "a b".to_owned(),
        kind: 99,
        sent_after: Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        conversation_id: "c".to_owned(),
        ..Default::default()
    };
    let cases = [
        (
            "a negative page",
            refused(bob.get_messages_page(context(None, -1, -1))).await,
        ),
        (
            "a page too far",
            refused(bob.get_messages_page(context(None, 200, 51))).await,
        ),
        (
            "criteria that are none",
            refused(bob.get_messages_page(context(Some(criteria), 0, 0))).await,
        ),
        (
            "a context that is none",
            refused(
                bob.get_messages_page_offset(v1::GetMessagesPageOffsetRequest {
                    context: "altered".to_owned(),
                    page_offset: 1,
                }),
            )
            .await,
        ),
    ];
    compare("pages", &cases);
}

on_each_database![
    field_problems_are_told_with_their_fields,
    page_problems_are_told_with_their_fields,
];
