//! Formatting of messages for a terminal.

use comfy_table::{Table, presets};
use domain::text::is_unseen;
use jiff::tz::TimeZone;
use prost_types::Timestamp;
use proto::v1::content::Body;
use proto::v1::{Content, Message, Sender};
use serde_json::Value as Json;

use super::json;

/// Maximum length of a preview, in characters.
const PREVIEW_CHARS: usize = 40;

/// Creates a table with these columns.
pub fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_header(columns);
    table
}

/// Replaces characters that could control the terminal, reorder the text around them or hide in it.
/// Line breaks stay, and joiners and variation selectors, which scripts and emoji need.
pub fn escape(text: &str) -> String {
    let is_needed = |c| matches!(c, '\n' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let replacement = |c| {
        if is_unseen(c) && !is_needed(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(replacement).collect()
}

/// Formats the sender of a message.
pub fn person(sender: Option<&Sender>) -> String {
    let (id, name) = sender.map_or(("", ""), |sender| (&*sender.profile_id, &*sender.name));
    escape(&match (id, name) {
        ("", name) => name.to_owned(),
        (id, "") => id.to_owned(),
        (id, name) => format!("{name} ({id})"),
    })
}

/// Formats the text of a message, or describes another content.
pub fn text_of(message: &Message) -> String {
    let body = message
        .content
        .as_ref()
        .and_then(|content: &Content| content.body.as_ref());
    escape(&match body {
        None => format!("({} bytes)", message.size_bytes),
        Some(Body::Json(encoded)) => match json::decode(encoded) {
            Ok(json) => text_of_json(&json),
            Err(error) => format!("({error})"),
        },
        Some(Body::Parts(parts)) => {
            let types = parts
                .parts
                .iter()
                .map(|part| &*part.mime_type)
                .collect::<Vec<_>>();
            format!("({})", types.join(", "))
        }
        Some(Body::Sealed(sealed)) => format!("(sealed: {})", sealed.scheme),
    })
}

fn text_of_json(json: &Json) -> String {
    let text = match json {
        Json::Object(fields) if fields.len() == 1 => fields.get("text"),
        json => Some(json),
    };
    match text {
        Some(Json::String(text)) => text.clone(),
        _ => json.to_string(),
    }
}

/// Formats the beginning of a message's text on one line.
pub fn preview(message: &Message) -> String {
    let text = text_of(message).replace('\n', " ");
    if text.chars().count() <= PREVIEW_CHARS {
        return text;
    }
    text.chars().take(PREVIEW_CHARS - 1).chain(['…']).collect()
}

/// Formats the result of a send.
pub fn delivery(id: &str, actual: u32, requested: u32, expire_time: Option<&Timestamp>) -> String {
    format!(
        "{id} to {actual} of {requested}, until {}",
        time(expire_time)
    )
}

/// Formats a time in the local time zone.
pub fn time(time: Option<&Timestamp>) -> String {
    time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok())
        .map(|time| {
            time.to_zoned_datetime(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(content: Json) -> Message {
        Message {
            content: Some(json::encode(content)),
            ..Message::default()
        }
    }

    #[test]
    fn a_text_is_shown_without_its_json() {
        assert_eq!(text_of(&message(json!({"text": "hi"}))), "hi");
        assert_eq!(text_of(&message(json!("hi"))), "hi");
        assert_eq!(text_of(&message(json!({"move": "e4"}))), r#"{"move":"e4"}"#);
    }

    #[test]
    fn a_control_character_is_replaced() {
        assert_eq!(
            text_of(&message(json!("\u{1b}[2Jhi\nyou"))),
            "\u{fffd}[2Jhi\nyou"
        );
    }

    #[test]
    fn a_character_that_reorders_or_hides_is_replaced() {
        for hidden in [
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{200e}",
            "\u{feff}",
            "\u{e0041}",
        ] {
            assert_eq!(escape(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        for shown in ["👩\u{200d}🚀", "❤\u{fe0f}", "می\u{200c}خواهم"] {
            assert_eq!(escape(shown), shown);
        }
    }

    #[test]
    fn a_preview_is_one_line_of_bounded_length() {
        let preview = preview(&message(json!("a\n".repeat(99))));
        assert_eq!(preview.chars().count(), PREVIEW_CHARS);
        assert!(!preview.contains('\n'));
    }
}
