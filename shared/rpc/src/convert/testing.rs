//! Fixtures for tests of conversions.

use domain::message::Envelope;
use domain::number::saturating;
use domain::{
    AppId, Entry, Message, MessageId, MessageKind, Millis, Msgbox, ProfileId, Sender, Violations,
};
use storage::Item;
use uuid::Uuid;

use super::content;

pub fn app(text: &str) -> AppId {
    AppId::parse(text).expect("an app id")
}

pub fn profile(text: &str) -> ProfileId {
    ProfileId::parse(text).expect("a profile id")
}

pub fn message_id(number: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(number))
}

/// Returns a simple message from alice to bob.
pub fn message(text: &str) -> Message {
    let mut violations = Violations::none();
    let content = content::simple(text.to_owned(), &mut violations).expect("a content");
    let send_ms = Millis(1_700_000_000_123);
    Message {
        envelope: Envelope {
            message_id: message_id(1),
            kind: MessageKind::Regular,
            sender: Sender {
                profile_id: Some(profile("alice")),
                ..Sender::default()
            },
            segment: None,
            to: vec![profile("bob")],
            notification: None,
            version: 1,
            modified: false,
            send_ms,
            update_ms: send_ms,
            expire_ms: send_ms.after(1000),
            size_bytes: saturating(content.encoded.len()),
        },
        content,
    }
}

/// Returns the unread entry of such a message in bob's inbox.
pub fn item(text: &str) -> Item {
    let message = message(text);
    let at = message.envelope.send_ms;
    Item {
        entry: Entry {
            msgbox: Msgbox::Inbox,
            message_id: message.envelope.message_id,
            seq: 1,
            create_seq: 1,
            create_ms: at,
            update_ms: at,
            version: 1,
            content_version: 1,
            read_ms: None,
            delivered_ms: None,
            expire_ms: message.envelope.expire_ms,
            sender_id: None,
        },
        message: message.into(),
    }
}
