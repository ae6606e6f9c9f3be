//! Fields that break their rules.

use prost_types::{Duration, Timestamp};
use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::golden::compare;
use crate::api::builders::{
    UNKNOWN, json, message, named, news, notice, parts, profiles, refused, send, strings, text,
};

async fn violations_of_ids_boxes_and_numbers_name_their_fields(test: &TestService) {
    let (mut alice, mut app) = (test.user("alice"), test.sys());
    let mut get = async |request| refused(alice.get_messages(request)).await;
    let unknown_view = v1::GetMessagesRequest {
        view: 99,
        ..named("inbox", &[UNKNOWN])
    };
    let no_version = sys::DeleteMessageRequest {
        message_id: UNKNOWN.to_owned(),
        expected_version: Some(0),
        ..Default::default()
    };
    let beyond_the_caps = sys::UpdateAppSettingsRequest {
        settings: Some(sys::AppSettings {
            max_recipients: Some(0),
            max_content_bytes: Some(65_537),
            default_expiry: Some(Duration::default()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let cases = [
        ("no message ids", get(named("inbox", &[""; 0])).await),
        (
            "501 message ids",
            get(named("inbox", &[UNKNOWN; 501])).await,
        ),
        (
            "a box that is not there",
            get(named("drafts", &[UNKNOWN])).await,
        ),
        ("an enum number that is not known", get(unknown_view).await),
        (
            "a version that no message has",
            refused(app.delete_message(no_version)).await,
        ),
        (
            "settings beyond the caps",
            refused(app.update_app_settings(beyond_the_caps)).await,
        ),
    ];
    compare("fields", &cases);
}

async fn violations_of_user_sends_name_their_fields(test: &TestService) {
    let mut alice = test.user("alice");
    let everything = v1::SendMessageRequest {
        to: strings(&["a\nb"]),
        content: None,
        request_id: "a b".to_owned(),
        expire_after: Some(Duration::default()),
        notification: Some(v1::Notification {
            title: "x".repeat(129),
            ..Default::default()
        }),
        conversation_id: "c".to_owned(),
    };
    let no_text = v1::SendMessageSimpleRequest {
        to: strings(&["bob"]),
        ..Default::default()
    };
    let no_text = refused(alice.send_message_simple(no_text)).await;
    let mut send = async |request| refused(alice.send_message(request)).await;
    let no_ids = message(&["", "a\nb", &"x".repeat(257)], text("hi"));
    let two_rules = json(serde_json::json!(vec!["\0"; 1000]));
    let no_type = parts(&[("a/b", b""), ("a", b"")]);
    let to_bob = |content| message(&["bob"], content);
    let cases = [
        ("profile ids that are none", send(no_ids).await),
        ("no recipient", send(message(&[""; 0], text("hi"))).await),
        (
            "more recipients than allowed",
            send(message(&profiles(101), text("hi"))).await,
        ),
        ("no content", send(to_bob(v1::Content::default())).await),
        (
            "a content that breaks two rules",
            send(to_bob(two_rules)).await,
        ),
        ("parts of no type", send(to_bob(no_type)).await),
        ("a text that is empty", no_text),
        (
            "a content over the policy's size",
            send(to_bob(text(&"x".repeat(33_000)))).await,
        ),
        ("everything at once", send(everything).await),
        (
            "more than twenty problems",
            send(message(&["a\nb"; 100], text("hi"))).await,
        ),
    ];
    compare("sends", &cases);
}

async fn violations_of_app_sends_name_their_fields(test: &TestService) {
    let mut app = test.sys();
    let mut send = async |request| refused(app.send_message(request)).await;
    let sent_by = |sender| sys::SendMessageRequest {
        sender,
        ..notice(&["bob"], text("hi"))
    };
    let somebody = v1::Sender {
        profile_id: "bob".to_owned(),
        ..news()
    };
    let nobody = v1::Sender {
        name: String::new(),
        ..somebody.clone()
    };
    let cases = [
        (
            "more recipients than the cap",
            send(notice(&profiles(501), text("hi"))).await,
        ),
        (
            "a content over the cap",
            send(notice(&["bob"], text(&"x".repeat(66_000)))).await,
        ),
        (
            "a profile id in the sender",
            send(sent_by(Some(somebody))).await,
        ),
        ("no sender", send(sent_by(None)).await),
        ("both of them", send(sent_by(Some(nobody))).await),
    ];
    compare("notices", &cases);
}

async fn violations_of_pages_name_their_fields(test: &TestService) {
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
        sender_profile_id: "a\nb".to_owned(),
        kind: 99,
        sent_after: Some(Timestamp {
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
    violations_of_ids_boxes_and_numbers_name_their_fields,
    violations_of_user_sends_name_their_fields,
    violations_of_app_sends_name_their_fields,
    violations_of_pages_name_their_fields,
];
