//! Contents in requests.

mod json;

use bytes::Bytes;
use domain::content::{Body, KeyWrap, Part, Sealed};
use domain::{Content, ProfileId, Reason, Violations};
use prost::Message as _;
use prost_types::Struct;
use prost_types::value::Kind;
use proto::v1;
use proto::v1::content::Body as Wire;

const FIELD: &str = "content";

/// Parses the `content` of a request. The message is stored as encoded again, so that equal
/// contents have equal bytes, however the client encoded them.
pub fn parse(content: Option<v1::Content>, violations: &mut Violations) -> Option<Content> {
    let Some(body) = content.and_then(|content| content.body) else {
        violations.add(FIELD, Reason::ContentInvalid, "must have a body");
        return None;
    };
    let (body, wire) = bodies(body, violations)?;
    checked(&body, wire, FIELD, violations)
}

/// Returns the content of a simple message: `{"text": …}`.
pub fn simple(text: String, violations: &mut Violations) -> Option<Content> {
    const FIELD: &str = "text";
    if text.is_empty() || text.contains('\0') {
        violations.add(
            FIELD,
            Reason::ContentInvalid,
            "must have one byte at least, and no NUL",
        );
        return None;
    }
    let json = serde_json::json!({ "text": text });
    let fields = [("text".to_owned(), Kind::StringValue(text).into())];
    let object = Kind::StructValue(Struct {
        fields: fields.into(),
    });
    let wire = Wire::Json(json::encode(&object.into()));
    checked(&Body::Json(json), wire, FIELD, violations)
}

fn checked(body: &Body, wire: Wire, field: &str, violations: &mut Violations) -> Option<Content> {
    let content = v1::Content { body: Some(wire) };
    Content::parse(body, content.encode_to_vec().into(), field, violations)
}

/// Adds a violation for every wrapped key whose profile is neither the sender nor a recipient.
pub fn check_wraps(
    content: Option<&v1::Content>,
    sender: Option<&ProfileId>,
    to: &[ProfileId],
    violations: &mut Violations,
) {
    let Some(Wire::Sealed(sealed)) = content.and_then(|content| content.body.as_ref()) else {
        return;
    };
    let holders: std::collections::HashSet<&str> =
        to.iter().chain(sender).map(ProfileId::as_str).collect();
    for (index, wrap) in sealed.keys.iter().enumerate() {
        if !holders.contains(wrap.profile_id.as_str()) {
            violations.add(
                format!("{FIELD}.sealed.keys[{index}].profile_id"),
                Reason::ContentInvalid,
                "is neither a recipient nor the sender",
            );
        }
    }
}

/// Returns the body that the domain checks, and the body that is stored.
fn bodies(body: Wire, violations: &mut Violations) -> Option<(Body, Wire)> {
    Some(match body {
        Wire::Json(encoded) => {
            let (json, encoded) = json::decode(encoded)
                .map_err(|reason| violations.add("content.json", Reason::ContentInvalid, reason))
                .ok()?;
            (Body::Json(json), Wire::Json(encoded))
        }
        Wire::Parts(parts) => {
            let body = Body::Parts(parts.parts.iter().map(part).collect());
            (body, Wire::Parts(parts))
        }
        Wire::Sealed(sealed) => {
            let body = Body::Sealed(self::sealed(&sealed));
            (body, Wire::Sealed(sealed))
        }
    })
}

fn part(part: &v1::Part) -> Part {
    Part {
        mime_type: part.mime_type.clone(),
        body: part.body.clone(),
    }
}

fn sealed(sealed: &v1::SealedContent) -> Sealed {
    Sealed {
        scheme: sealed.scheme.clone(),
        headers: sealed.headers.clone(),
        payload: sealed.payload.clone(),
        sender_key_id: sealed.sender_key_id.clone(),
        signature: sealed.signature.clone(),
        keys: sealed.keys.iter().map(wrap).collect(),
    }
}

fn wrap(wrap: &v1::KeyWrap) -> KeyWrap {
    KeyWrap {
        profile_id: wrap.profile_id.clone(),
        key_id: wrap.key_id.clone(),
        wrapped_key: Bytes::copy_from_slice(&wrap.wrapped_key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_for(profiles: &[&str]) -> v1::Content {
        let keys = profiles.iter().map(|&profile| v1::KeyWrap {
            profile_id: profile.into(),
            key_id: "k".into(),
            wrapped_key: vec![1],
        });
        v1::Content {
            body: Some(Wire::Sealed(v1::SealedContent {
                scheme: "hpke".into(),
                keys: keys.collect(),
                ..v1::SealedContent::default()
            })),
        }
    }

    fn fields(violations: &Violations) -> Vec<&str> {
        let found = violations.as_slice().iter();
        found.map(|violation| violation.field.as_str()).collect()
    }

    #[test]
    fn a_content_without_a_body_is_invalid() {
        let mut violations = Violations::none();
        assert!(parse(None, &mut violations).is_none());
        assert!(parse(Some(v1::Content::default()), &mut violations).is_none());
        assert_eq!(violations.as_slice().len(), 2);
        assert_eq!(violations.reason(), Reason::ContentInvalid);
    }

    #[test]
    fn an_empty_value_is_invalid_and_null_is_valid() {
        let mut violations = Violations::none();
        let json = |value: &[u8]| {
            Some(v1::Content {
                body: Some(Wire::Json(Bytes::copy_from_slice(value))),
            })
        };
        let null = json::encode(&Kind::NullValue(0).into());
        assert!(parse(json(&null), &mut violations).is_some());
        for nothing in [&b""[..], b"no value"] {
            let mut violations = Violations::none();
            assert!(parse(json(nothing), &mut violations).is_none());
            assert_eq!(fields(&violations), ["content.json"]);
            assert_eq!(violations.reason(), Reason::ContentInvalid);
        }
    }

    #[test]
    fn equal_contents_are_stored_as_equal_bytes() {
        // A repeated bool, and an unknown field.
        for sent in [&b"\x20\x01"[..], b"\x20\x00\x20\x01", b"\x20\x01\x78\x01"] {
            let content = v1::Content {
                body: Some(Wire::Json(Bytes::copy_from_slice(sent))),
            };
            let stored = parse(Some(content), &mut Violations::none()).expect("a content");
            assert_eq!(&stored.encoded[..], b"\x0a\x02\x20\x01", "{sent:?}");
        }
    }

    #[test]
    fn the_stored_content_decodes_to_the_sent_one() {
        let mut violations = Violations::none();
        let sent = sealed_for(&["bob"]);
        let content = parse(Some(sent.clone()), &mut violations).expect("a content");
        assert_eq!(v1::Content::decode(content.encoded), Ok(sent));
    }

    #[test]
    fn a_simple_message_is_the_json_content_with_its_text() {
        let mut violations = Violations::none();
        let fields = [("text".to_owned(), Kind::StringValue("hi".into()).into())];
        let object = Kind::StructValue(Struct {
            fields: fields.into(),
        });
        let written = v1::Content {
            body: Some(Wire::Json(json::encode(&object.into()))),
        };
        assert_eq!(
            simple("hi".into(), &mut violations),
            parse(Some(written), &mut violations)
        );
        assert!(violations.is_empty());
    }

    #[test]
    fn a_simple_message_without_a_text_is_invalid() {
        for text in ["", "a\0"] {
            let mut violations = Violations::none();
            assert!(simple(text.into(), &mut violations).is_none());
            assert_eq!(violations.reason(), Reason::ContentInvalid);
        }
    }

    #[test]
    fn keys_wrapped_for_other_profiles_are_violations() {
        let [alice, bob] = ["alice", "bob"].map(|text| ProfileId::parse(text).expect("an id"));
        let content = sealed_for(&["bob", "eve", "alice"]);
        let mut violations = Violations::none();
        check_wraps(
            Some(&content),
            Some(&alice),
            std::slice::from_ref(&bob),
            &mut violations,
        );
        assert_eq!(fields(&violations), ["content.sealed.keys[1].profile_id"]);
        let mut of_the_app = Violations::none();
        check_wraps(Some(&content), None, &[bob], &mut of_the_app);
        assert_eq!(of_the_app.as_slice().len(), 2);
    }
}
