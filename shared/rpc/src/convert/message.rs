//! Messages in responses.

use domain::number::saturating;
use domain::{Message, MessageKind, ProfileId, Sender};
use prost::Message as _;
use proto::v1;
use proto::v1::content::Body;
use storage::Error;

use super::time::timestamp;
use super::view::View;
use crate::layer::call_info::note_shown;

/// Returns a message with the view's part of its content; a recalled one has no content.
///
/// # Errors
/// [`Error::Corrupt`] if its content cannot be decoded.
pub fn show(message: &Message, view: View) -> Result<v1::Message, Error> {
    if message
        .envelope
        .segment
        .is_some_and(|segment| segment.recalled)
    {
        return Ok(show_emptied(message));
    }
    let body = stored_body(message)?;
    let headers_size_bytes = match &body {
        Body::Sealed(sealed) => saturating(sealed.headers.len()),
        Body::Json(_) | Body::Parts(_) => 0,
    };
    let shown = view.of(body).map_err(|_| corrupt(message))?;
    let content = shown.map(|body| v1::Content { body: Some(body) });
    Ok(v1::Message {
        content,
        headers_size_bytes,
        ..show_emptied(message)
    })
}

/// Returns a message without its content. The audit log has it if the app reads it.
#[must_use]
pub fn show_emptied(message: &Message) -> v1::Message {
    let (envelope, stored) = (&message.envelope, &message.content);
    note_shown(envelope.message_id);
    v1::Message {
        message_id: envelope.message_id.to_string(),
        kind: kind(envelope.kind).into(),
        sender: Some(sender(&envelope.sender)),
        recipient_count: envelope.to_count(),
        to: envelope.to.iter().map(ProfileId::to_string).collect(),
        send_time: Some(timestamp(envelope.send_ms)),
        content: None,
        version: envelope.version,
        create_time: Some(timestamp(envelope.send_ms)),
        update_time: Some(timestamp(envelope.update_ms)),
        expire_time: Some(timestamp(envelope.expire_ms)),
        modified: envelope.modified,
        digest: stored.digest.to_vec(),
        size_bytes: saturating(stored.encoded.len()),
        headers_size_bytes: 0,
        conversation_id: String::new(),
    }
}

fn stored_body(message: &Message) -> Result<Body, Error> {
    let content = v1::Content::decode(message.content.encoded.clone()).ok();
    content
        .and_then(|content| content.body)
        .ok_or_else(|| corrupt(message))
}

fn corrupt(message: &Message) -> Error {
    Error::Corrupt {
        table: "message",
        column: "content",
        key: message.envelope.message_id.to_string(),
    }
}

const fn kind(kind: MessageKind) -> v1::MessageKind {
    match kind {
        MessageKind::Regular => v1::MessageKind::Regular,
        MessageKind::System => v1::MessageKind::System,
        MessageKind::Bulk => v1::MessageKind::Bulk,
    }
}

fn sender(sender: &Sender) -> v1::Sender {
    let profile_id = sender.profile_id.as_ref();
    v1::Sender {
        profile_id: profile_id.map_or_else(String::new, ProfileId::to_string),
        name: sender.name.clone(),
        pic: sender.pic.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::testing;

    #[test]
    fn metadata_contain_size_and_digest_but_no_content() {
        let message = testing::message("some text");
        let (size, digest) = (message.content.encoded.len(), message.content.digest);
        let shown = show(&message, View::Metadata).expect("a message");
        assert_eq!(shown.content, None);
        assert_eq!(shown.size_bytes as usize, size);
        assert_eq!(shown.digest, digest);
    }

    #[test]
    fn the_sender_of_a_system_message_has_no_profile() {
        let mut message = testing::message("some text");
        message.envelope.sender.profile_id = None;
        message.envelope.kind = MessageKind::System;
        let shown = show(&message, View::Full).expect("a message");
        assert_eq!(shown.kind(), v1::MessageKind::System);
        assert_eq!(shown.sender.expect("a sender").profile_id, "");
    }

    #[test]
    fn an_undecodable_stored_content_is_corrupt() {
        let no_json = v1::Content {
            body: Some(Body::Json(b"no value"[..].into())),
        };
        for (bytes, view) in [
            (b"\xff".to_vec(), View::Metadata),
            (b"".to_vec(), View::Full),
            (no_json.encode_to_vec(), View::Preview),
        ] {
            let mut message = testing::message("some text");
            message.content.encoded = bytes.into();
            let error = show(&message, view).expect_err("no content");
            assert!(matches!(
                error,
                Error::Corrupt {
                    column: "content",
                    ..
                }
            ));
        }
    }
}
