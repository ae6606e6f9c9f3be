//! Builders of operations and their parts.

use bytes::Bytes;
use domain::content::Body;
use domain::operation::{
    BlockProfile, ClearMessages, CreateMailbox, DeleteEntries, DeleteForEveryone, DeleteMessage,
    DeleteMessages, EditMessage, MarkMessagesRead, NamedEntries, SendBulk, SendMessage,
    SettleMailbox, UnblockProfile, UpdateAppSettings, UpdateMessage,
};
use domain::request::{Caller, Fingerprint, Request, RequestKey};
use domain::{
    Action, AppId, Audience, Content, Draft, MessageId, Msgbox, Operation, Outcome, ProfileId,
    Refusal, RequestId, Sender, Settings, Violations,
};
use uuid::Uuid;

/// The app of tests that need no more than one.
pub fn app() -> AppId {
    other_app("app")
}

pub fn other_app(name: &str) -> AppId {
    AppId::parse(name).expect("an app id")
}

pub fn profile(name: &str) -> ProfileId {
    ProfileId::parse(name).expect("a profile id")
}

fn profiles(names: &[&str]) -> Vec<ProfileId> {
    names.iter().map(|name| profile(name)).collect()
}

pub fn text(words: &str) -> Content {
    content(Bytes::copy_from_slice(words.as_bytes()))
}

/// A content of that many bytes.
pub fn bytes(size: usize) -> Content {
    content(Bytes::from(vec![b'x'; size]))
}

fn content(encoded: Bytes) -> Content {
    let body = Body::Json(encoded.len().into());
    Content::parse(&body, encoded, "content", &mut Violations::none()).expect("a content")
}

/// An id that no message has.
pub fn nobodys() -> MessageId {
    MessageId::new(Uuid::now_v7())
}

pub fn from_user(from: &str, to: &[&str], content: Content) -> SendMessage {
    let from = Sender {
        profile_id: Some(profile(from)),
        name: from.to_uppercase(),
        pic: String::new(),
    };
    SendMessage::new(Draft::new(from, content), profiles(to))
}

pub fn from_app(to: &[&str], content: Content) -> SendMessage {
    let from = Sender {
        name: "the app".to_owned(),
        ..Sender::default()
    };
    SendMessage::new(Draft::new(from, content), profiles(to))
}

/// The same message with a lifetime.
pub fn lasting(mut message: SendMessage, lifetime_ms: i64) -> SendMessage {
    message.draft.lifetime_ms = Some(lifetime_ms);
    message
}

pub fn send(from: &str, to: &[&str]) -> Action {
    Action::SendMessage(from_user(from, to, text("hello")))
}

pub fn announce(to: &[&str]) -> Action {
    Action::SendMessage(from_app(to, text("news")))
}

/// A bulk message to existing mailboxes.
pub fn to_all() -> Action {
    bulk(Audience::Existing, None)
}

pub fn bulk(audience: Audience, lifetime_ms: Option<i64>) -> Action {
    let from = Sender {
        name: "the app".to_owned(),
        ..Sender::default()
    };
    Action::SendBulk(SendBulk {
        draft: Draft {
            lifetime_ms,
            ..Draft::new(from, text("to all"))
        },
        audience,
    })
}

pub fn settle(owner: &str) -> Action {
    Action::SettleMailbox(SettleMailbox::from(profile(owner)))
}

pub fn open(owner: &str) -> Action {
    Action::CreateMailbox(CreateMailbox {
        owner: profile(owner),
    })
}

pub fn mark(owner: &str, message_ids: &[MessageId], read: bool) -> Action {
    Action::MarkMessagesRead(MarkMessagesRead {
        entries: NamedEntries::new(profile(owner), Msgbox::Inbox, message_ids.into()),
        read,
    })
}

pub fn delete(owner: &str, msgbox: Msgbox, message_ids: &[MessageId]) -> Action {
    Action::DeleteEntries(DeleteEntries(NamedEntries::new(
        profile(owner),
        msgbox,
        message_ids.into(),
    )))
}

pub fn clear(owner: &str, msgbox: Msgbox) -> Action {
    Action::ClearMessages(ClearMessages::new(profile(owner), msgbox))
}

pub fn recall(owner: &str, msgbox: Msgbox, message_ids: &[MessageId]) -> Action {
    DeleteForEveryone::new(profile(owner), msgbox, message_ids.into()).into()
}

pub fn edit(owner: &str, message_id: MessageId, words: &str) -> Action {
    Action::EditMessage(EditMessage {
        owner: profile(owner),
        message_id,
        content: text(words),
        expected_version: None,
    })
}

pub fn update(message_id: MessageId, words: &str, expected_version: Option<i64>) -> Action {
    Action::UpdateMessage(UpdateMessage {
        message_id,
        content: text(words),
        expected_version,
    })
}

pub fn remove(message_ids: &[MessageId]) -> Action {
    Action::DeleteMessages(DeleteMessages::new(message_ids.into()))
}

pub fn remove_one(message_id: MessageId, expected_version: Option<i64>) -> Action {
    Action::DeleteMessage(DeleteMessage {
        message_id,
        expected_version,
    })
}

pub fn block(owner: &str, other: &str) -> Action {
    Action::BlockProfile(BlockProfile {
        owner: profile(owner),
        profile_id: profile(other),
    })
}

pub fn unblock(owner: &str, other: &str) -> Action {
    Action::UnblockProfile(UnblockProfile {
        owner: profile(owner),
        profile_id: profile(other),
    })
}

pub fn configure(settings: Settings) -> Action {
    Action::UpdateAppSettings(UpdateAppSettings {
        settings,
        expected_version: None,
    })
}

pub const fn operation(action: Action) -> Operation {
    Operation {
        request: None,
        action,
    }
}

/// An operation of a user with a request id. The fingerprint is `words`.
pub fn repeatable(request_id: &str, words: u8, action: Action) -> Operation {
    let request_id = RequestId::parse(request_id).expect("a request id");
    let request = Request {
        key: RequestKey::new(Caller::User("ann"), &request_id),
        fingerprint: Fingerprint([words; 8]),
    };
    Operation {
        request: Some(request),
        action,
    }
}

/// The message that was sent.
pub fn sent(verdict: Result<Outcome, Refusal>) -> MessageId {
    match verdict {
        Ok(Outcome::Sent(sent)) => sent.message_id,
        other => panic!("{other:?}"),
    }
}
