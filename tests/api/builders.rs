//! Requests, calls and checks that the tests of methods share.

use std::fmt::Debug;
use std::ops::Deref;

use domain::Policy;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::content::Body;
use serde_json::Value as Json;
use support::boxes;
use support::service::TestService;
use support::store::{Fixture, Setup, TestStore};
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

/// An id of no message.
pub const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// The service with boxes of two messages.
pub struct SmallBoxes(TestService);

impl Fixture for SmallBoxes {
    async fn open(setup: Setup) -> Self {
        let policy = Policy {
            max_box_messages: 2,
            ..Policy::default()
        };
        Self(TestService::over(TestStore::open_with(setup, policy).await).await)
    }

    fn into_store(self) -> TestStore {
        self.0.store
    }
}

impl Deref for SmallBoxes {
    type Target = TestService;

    fn deref(&self) -> &TestService {
        &self.0
    }
}

/// The answer of a call that is answered.
pub async fn ok<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> T {
    call.await.expect("an answer").into_inner()
}

/// The status of a call that is refused.
pub async fn refused<T: Debug>(call: impl Future<Output = Result<Response<T>, Status>>) -> Status {
    call.await.expect_err("a refusal")
}

/// Reason of a refused call.
pub async fn reason<T: Debug>(call: impl Future<Output = Result<Response<T>, Status>>) -> String {
    reason_of(&refused(call).await)
}

/// The reason of a refusal.
pub fn reason_of(status: &Status) -> String {
    status
        .get_details_error_info()
        .map_or_else(|| format!("{:?}", status.code()), |info| info.reason)
}

/// Fields of the violations of a refused call.
pub async fn fields<T: Debug>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Vec<String> {
    let status = refused(call).await;
    let request = status.get_details_bad_request().expect("violations");
    let violations = request.field_violations.into_iter();
    violations.map(|violation| violation.field).collect()
}

/// A default protobuf message changed by `change`.
pub fn with<T: Default>(change: impl FnOnce(&mut T)) -> T {
    let mut changed = T::default();
    change(&mut changed);
    changed
}

/// Texts, as requests take them.
pub fn strings(texts: &[impl AsRef<str>]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().to_owned()).collect()
}

/// Distinct profile ids.
pub fn profiles(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("p{number:03}")).collect()
}

/// A JSON value, as protobuf has it.
pub fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().expect("a double")),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(value).collect(),
        }),
        Json::Object(fields) => Kind::StructValue(Struct {
            fields: fields
                .into_iter()
                .map(|(name, field)| (name, value(field)))
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

/// A content.
pub fn content(body: Body) -> v1::Content {
    v1::Content { body: Some(body) }
}

/// A JSON content.
pub fn json(json: Json) -> v1::Content {
    content(Body::Json(value(json).encode_to_vec().into()))
}

/// The content of a simple message.
pub fn text(text: &str) -> v1::Content {
    json(serde_json::json!({ "text": text }))
}

/// A content of parts: their MIME types and bodies.
pub fn parts(parts: &[(&str, &[u8])]) -> v1::Content {
    let part = |&(mime_type, body): &(&str, &[u8])| v1::Part {
        mime_type: mime_type.to_owned(),
        body: body.to_vec().into(),
    };
    let parts = parts.iter().map(part).collect();
    content(Body::Parts(v1::MessageParts { parts }))
}

/// A sealed content, for bob.
pub fn sealed() -> v1::SealedContent {
    v1::SealedContent {
        scheme: "hpke".to_owned(),
        headers: b"headers"[..].into(),
        payload: b"payload"[..].into(),
        sender_key_id: "alice-1".to_owned(),
        signature: b"signature"[..].into(),
        keys: vec![wrap("bob")],
    }
}

/// A content key wrapped for a profile.
pub fn wrap(profile: &str) -> v1::KeyWrap {
    v1::KeyWrap {
        profile_id: profile.to_owned(),
        key_id: "1".to_owned(),
        wrapped_key: vec![7; 32],
    }
}

/// A user's request to send.
pub fn message(to: &[impl AsRef<str>], content: v1::Content) -> v1::SendMessageRequest {
    v1::SendMessageRequest {
        to: strings(to),
        content: Some(content),
        ..Default::default()
    }
}

/// The app's request to send.
pub fn notice(to: &[impl AsRef<str>], content: v1::Content) -> sys::SendMessageRequest {
    sys::SendMessageRequest {
        to: strings(to),
        content: Some(content),
        sender: Some(news()),
        ..Default::default()
    }
}

/// Sender of the app's messages.
pub fn news() -> v1::Sender {
    v1::Sender {
        name: "News".to_owned(),
        ..Default::default()
    }
}

/// A user sends a message.
pub async fn send(test: &TestService, from: &str, to: &[&str]) -> String {
    let request = message(to, text("hi"));
    ok(test.user(from).send_message(request)).await.message_id
}

/// Alice sends bob as many messages.
pub async fn send_many(test: &TestService, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(send(test, "alice", &["bob"]).await);
    }
    ids
}

/// The app sends a message.
pub async fn announce(test: &TestService, to: &[&str]) -> String {
    let request = notice(to, text("news"));
    ok(test.sys().send_message(request)).await.message_id
}

/// A request to get messages.
pub fn named(msgbox: &str, ids: &[impl AsRef<str>]) -> v1::GetMessagesRequest {
    v1::GetMessagesRequest {
        msgbox: msgbox.to_owned(),
        message_ids: strings(ids),
        ..Default::default()
    }
}

/// The entry of a holder.
pub async fn entry(test: &TestService, who: &str, msgbox: &str, id: &str) -> v1::MsgboxEntry {
    let request = named(msgbox, &[id]);
    ok(test.user(who).get_messages(request))
        .await
        .items
        .remove(0)
}

/// Bob marks messages of his inbox, or takes the marks away; how many are so then.
pub async fn mark(test: &TestService, ids: &[impl AsRef<str>], unread: bool) -> u32 {
    let request = v1::MarkMessagesReadRequest {
        msgbox: "inbox".to_owned(),
        message_ids: strings(ids),
        unread,
        ..Default::default()
    };
    ok(test.user("bob").mark_messages_read(request))
        .await
        .actual
}

/// Deletes own copies and returns how many there were.
pub async fn delete(test: &TestService, who: &str, msgbox: &str, ids: &[impl AsRef<str>]) -> u32 {
    let request = deletion(msgbox, ids, v1::DeleteScope::OwnCopy);
    ok(test.user(who).delete_messages(request)).await.actual
}

/// A user's request to delete.
pub fn deletion(
    msgbox: &str,
    ids: &[impl AsRef<str>],
    scope: v1::DeleteScope,
) -> v1::DeleteMessagesRequest {
    v1::DeleteMessagesRequest {
        msgbox: msgbox.to_owned(),
        message_ids: strings(ids),
        scope: scope.into(),
        ..Default::default()
    }
}

/// The message as the repository has it.
pub async fn stored(test: &TestService, id: &str) -> v1::Message {
    let request = sys::GetMessagesRequest {
        message_ids: strings(&[id]),
        ..Default::default()
    };
    ok(test.sys().get_messages(request)).await.items.remove(0)
}

/// True if the repository has the message.
pub async fn is_stored(test: &TestService, id: &str) -> bool {
    let request = sys::GetMessagesRequest {
        message_ids: strings(&[id]),
        ..Default::default()
    };
    test.sys().get_messages(request).await.is_ok()
}

/// Messages in the inbox, unread ones of them, and messages in `sent`.
pub async fn counts(test: &TestService, who: &str) -> (u32, u32, u32) {
    let request = v1::GetMessageCountsRequest {};
    let counts = ok(test.user(who).get_message_counts(request)).await.boxes;
    let (inbox, sent) = (
        boxes::named(&counts, "inbox"),
        boxes::named(&counts, "sent"),
    );
    assert_eq!((counts.len(), sent.unread), (2, 0));
    (inbox.total, inbox.unread, sent.total)
}

/// Replaces the settings of the app.
pub async fn configure(test: &TestService, settings: sys::AppSettings) {
    let request = sys::UpdateAppSettingsRequest {
        settings: Some(settings),
        ..Default::default()
    };
    ok(test.sys().update_app_settings(request)).await;
}
