//! Views: the part of a content that a response shows.

use bytes::Bytes;
use domain::Violations;
use domain::limits::PREVIEW_CHARS;
use prost::{DecodeError, Message as _};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use proto::v1;
use proto::v1::content::Body;

use super::enums;

/// String fields of a JSON object that a preview shows.
const PREVIEW_FIELDS: [&str; 3] = ["subject", "text", "content"];

/// View of a content in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The whole content.
    Full,
    /// The beginning of its texts.
    Preview,
    /// The MIME types of parts, and nothing of other contents.
    Metadata,
}

impl View {
    /// Parses the number of a view. An unknown number is a violation, and yields the default.
    pub fn parse(number: i32, field: &str, violations: &mut Violations) -> Self {
        match enums::known(number, field, violations) {
            Some(v1::MessageView::Preview) => Self::Preview,
            Some(v1::MessageView::Metadata) => Self::Metadata,
            Some(v1::MessageView::Unspecified | v1::MessageView::Full) | None => Self::Full,
        }
    }

    /// Reduces the body of a content to the view.
    ///
    /// # Errors
    /// If a JSON body cannot be decoded for a preview.
    pub(super) fn of(self, body: Body) -> Result<Option<Body>, DecodeError> {
        Ok(match (self, body) {
            (Self::Full, body) => Some(body),
            (Self::Preview, Body::Json(encoded)) => preview(encoded)?.map(Body::Json),
            (Self::Preview, Body::Sealed(sealed)) => Some(Body::Sealed(without_payload(sealed))),
            (Self::Preview | Self::Metadata, Body::Parts(parts)) => {
                Some(Body::Parts(without_bodies(parts)))
            }
            (Self::Metadata, Body::Json(_) | Body::Sealed(_)) => None,
        })
    }
}

fn without_bodies(mut parts: v1::MessageParts) -> v1::MessageParts {
    for part in &mut parts.parts {
        part.body = Bytes::new();
    }
    parts
}

/// Copies what is left: a slice of the content would hold all of it in memory.
fn without_payload(sealed: v1::SealedContent) -> v1::SealedContent {
    v1::SealedContent {
        payload: Bytes::new(),
        headers: Bytes::copy_from_slice(&sealed.headers),
        signature: Bytes::copy_from_slice(&sealed.signature),
        ..sealed
    }
}

fn preview(encoded: Bytes) -> Result<Option<Bytes>, DecodeError> {
    let shown = match Value::decode(encoded)?.kind {
        Some(Kind::StringValue(text)) => beginning(&text),
        Some(Kind::StructValue(object)) => {
            let shown = |(name, value): (String, Value)| match value.kind {
                Some(Kind::StringValue(text)) if PREVIEW_FIELDS.contains(&name.as_str()) => {
                    Some((name, beginning(&text)))
                }
                _ => None,
            };
            let fields = object.fields.into_iter().filter_map(shown).collect();
            Kind::StructValue(Struct { fields }).into()
        }
        None
        | Some(
            Kind::NullValue(_) | Kind::BoolValue(_) | Kind::NumberValue(_) | Kind::ListValue(_),
        ) => return Ok(None),
    };
    Ok(Some(shown.encode_to_vec().into()))
}

fn beginning(text: &str) -> Value {
    Kind::StringValue(text.chars().take(PREVIEW_CHARS).collect()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Kind::StringValue(text.into()).into()
    }

    fn object(fields: &[(&str, Value)]) -> Body {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        json(&Kind::StructValue(Struct { fields }).into())
    }

    fn json(value: &Value) -> Body {
        Body::Json(value.encode_to_vec().into())
    }

    fn parts(body: &'static [u8]) -> Body {
        Body::Parts(v1::MessageParts {
            parts: vec![v1::Part {
                mime_type: "image/png".into(),
                body: body.into(),
            }],
        })
    }

    #[test]
    fn a_preview_shows_the_first_characters_of_three_strings() {
        let long = "ä".repeat(PREVIEW_CHARS + 1);
        let full = object(&[
            ("subject", text("short")),
            ("text", text(&long)),
            ("content", Kind::NumberValue(1.0).into()),
            ("other", text("x")),
        ]);
        let shown = object(&[
            ("subject", text("short")),
            ("text", text(&"ä".repeat(PREVIEW_CHARS))),
        ]);
        assert_eq!(View::Preview.of(full), Ok(Some(shown)));
    }

    #[test]
    fn a_preview_shows_only_strings_of_bare_json_values() {
        assert_eq!(
            View::Preview.of(json(&text(&"x".repeat(31)))),
            Ok(Some(json(&text(&"x".repeat(30)))))
        );
        for kind in [Kind::NullValue(0), Kind::BoolValue(true)] {
            assert_eq!(View::Preview.of(json(&kind.into())), Ok(None));
        }
    }

    #[test]
    fn parts_lose_their_bodies_and_keep_their_types() {
        for view in [View::Preview, View::Metadata] {
            assert_eq!(view.of(parts(b"png")), Ok(Some(parts(b""))));
        }
        assert_eq!(View::Full.of(parts(b"png")), Ok(Some(parts(b"png"))));
    }

    #[test]
    fn a_preview_of_a_sealed_content_keeps_its_headers() {
        let sealed = |payload: &'static [u8]| {
            Body::Sealed(v1::SealedContent {
                headers: b"headers"[..].into(),
                payload: payload.into(),
                ..v1::SealedContent::default()
            })
        };
        assert_eq!(View::Preview.of(sealed(b"secret")), Ok(Some(sealed(b""))));
        assert_eq!(View::Metadata.of(sealed(b"secret")), Ok(None));
    }
}
