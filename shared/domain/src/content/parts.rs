//! Contents of parts.

use bytes::Bytes;

use super::Digest;
use crate::limits::{MIME_TYPE_BYTES_MAX, PARTS_MAX};
use crate::number::saturating;
use crate::violation::{Reason, Violations};

/// Part of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// MIME type of the body: `type/subtype`, parameters allowed.
    pub mime_type: String,
    /// Bytes of the part.
    pub body: Bytes,
}

pub(super) fn check(parts: &[Part], field: &str, violations: &mut Violations) {
    if parts.is_empty() || parts.len() > PARTS_MAX {
        violations.add(
            format!("{field}.parts"),
            Reason::ContentInvalid,
            format!("must be 1 to {PARTS_MAX} parts"),
        );
        return;
    }
    for (index, part) in parts.iter().enumerate() {
        if !is_mime_type(&part.mime_type) {
            violations.add(
                format!("{field}.parts[{index}].mime_type"),
                Reason::ContentInvalid,
                format!("must be type/subtype of at most {MIME_TYPE_BYTES_MAX} bytes"),
            );
        }
    }
}

/// `type/subtype` of token characters (RFC 9110), with parameters of visible characters.
fn is_mime_type(text: &str) -> bool {
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ');
    let visible = |byte: u8| (b' '..=b'~').contains(&byte);
    text.len() <= MIME_TYPE_BYTES_MAX
        && text.bytes().all(visible)
        && essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

pub(super) fn digest(parts: &[Part]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("postroom v1 parts");
    for part in parts {
        let mime_type_bytes: u32 = saturating(part.mime_type.len());
        hasher.update(&mime_type_bytes.to_be_bytes());
        hasher.update(part.mime_type.as_bytes());
        hasher.update(&(part.body.len() as u64).to_be_bytes());
        hasher.update(&part.body);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mime_types_have_a_type_and_a_subtype() {
        for valid in [
            "text/plain",
            "text/plain; charset=utf-8",
            "*/*",
            "application/vnd.a+json",
        ] {
            assert!(is_mime_type(valid), "{valid}");
        }
        for invalid in [
            "",
            "text",
            "text/",
            "/plain",
            "te xt/plain",
            "text/pl\u{e4}in",
            "a/b/c",
            "a/b\n",
        ] {
            assert!(!is_mime_type(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn a_content_has_one_to_sixteen_parts() {
        let part = Part {
            mime_type: "text/plain".into(),
            body: Bytes::new(),
        };
        for (count, violations_expected) in [(0, 1), (1, 0), (PARTS_MAX, 0), (PARTS_MAX + 1, 1)] {
            let mut violations = Violations::none();
            check(&vec![part.clone(); count], "content.parts", &mut violations);
            assert_eq!(
                violations.as_slice().len(),
                violations_expected,
                "{count} parts"
            );
        }
    }

    #[test]
    fn the_digest_distinguishes_the_boundaries_of_parts() {
        let part = |mime_type: &str, body: &'static str| Part {
            mime_type: mime_type.into(),
            body: body.into(),
        };
        assert_ne!(digest(&[part("a/b", "cd")]), digest(&[part("a/bc", "d")]));
        assert_ne!(
            digest(&[part("a/b", "c"), part("a/b", "")]),
            digest(&[part("a/b", "c")])
        );
    }
}
