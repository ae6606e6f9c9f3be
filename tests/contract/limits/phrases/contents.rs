//! Limits of ids and contents.

use ::domain::limits as domain;

use super::super::units::{at_most, number, size, up_to};
use super::Phrases;

pub fn limits_of_ids() -> Phrases {
    let of_id = format!("1 to {}", size(domain::PROFILE_ID_BYTES_MAX));
    let mut phrases: Phrases = [
        "postroom.v1.Messaging",
        "postroom.sys.v1.Sys",
        "sender_profile_id",
        "to_profile_id",
        "party_profile_id",
        "owner_profile_id",
        "KeyWrap.profile_id",
        "BlockProfileRequest.profile_id",
        "UnblockProfileRequest.profile_id",
    ]
    .map(|at| (at, of_id.clone()))
    .into();
    phrases.extend([
        (
            "request_id",
            format!("1 to {} of ASCII", size(domain::REQUEST_ID_BYTES_MAX)),
        ),
        ("message_ids", up_to(domain::MESSAGE_IDS_MAX)),
        (
            "Sender.name",
            format!("1 to {}", size(domain::SENDER_NAME_BYTES_MAX)),
        ),
        ("Sender.pic", at_most(domain::SENDER_PIC_BYTES_MAX)),
    ]);
    phrases
}

pub fn limits_of_contents() -> Phrases {
    let by_default = size(domain::CONTENT_BYTES_DEFAULT);
    let cap = at_most(domain::CONTENT_BYTES_CAP);
    let levels = number(domain::JSON_DEPTH_MAX);
    let nodes = number(domain::JSON_NODES_MAX);
    let preview = format!("first {} characters", domain::PREVIEW_CHARS);
    let of_key_id = at_most(domain::KEY_ID_BYTES_MAX);
    vec![
        ("v1.Content", format!("{by_default} by default, {cap}")),
        ("Content.json", format!("Depth is at most {levels}")),
        ("Content.json", format!("at most {nodes} nodes")),
        (
            "ERROR_REASON_CONTENT_INVALID",
            format!("more than {levels} levels or {nodes} nodes"),
        ),
        ("MessageParts.parts", up_to(domain::PARTS_MAX)),
        ("Part.mime_type", at_most(domain::MIME_TYPE_BYTES_MAX)),
        (
            "SealedContent.scheme",
            format!("1 to {}", size(domain::SEALED_SCHEME_BYTES_MAX)),
        ),
        (
            "SealedContent.headers",
            at_most(domain::SEALED_HEADERS_BYTES_MAX),
        ),
        ("SealedContent.sender_key_id", of_key_id.clone()),
        (
            "SealedContent.keys",
            format!("one for each of {}", domain::KEY_WRAPS_MAX),
        ),
        ("KeyWrap.key_id", of_key_id),
        (
            "KeyWrap.wrapped_key",
            format!("1 to {}", size(domain::WRAPPED_KEY_BYTES_MAX)),
        ),
        ("digest", format!(", {}", size(blake3::OUT_LEN))),
        ("MESSAGE_VIEW_PREVIEW", preview),
        (
            "v1.Notification",
            format!("At most {} in all", size(domain::NOTIFICATION_BYTES_MAX)),
        ),
        (
            "Notification.title",
            at_most(domain::NOTIFICATION_TITLE_BYTES_MAX),
        ),
        (
            "Notification.text",
            at_most(domain::NOTIFICATION_TEXT_BYTES_MAX),
        ),
        (
            "Notification.sound",
            at_most(domain::NOTIFICATION_SOUND_BYTES_MAX),
        ),
        (
            "Notification.data",
            at_most(domain::NOTIFICATION_DATA_BYTES_MAX),
        ),
    ]
}
