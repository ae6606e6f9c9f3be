//! Content of a message: a JSON value, parts with MIME types, or sealed bytes that the
//! server cannot read. A [`Content`] that exists was checked, and carries its digest.

mod json;
mod parts;
mod sealed;

use bytes::Bytes;

pub use parts::Part;
pub use sealed::{KeyWrap, Sealed};

use crate::limits::CONTENT_BYTES_CAP;
use crate::refusal::LimitExceeded;
use crate::violation::{Reason, Violations};

/// BLAKE3 digest of a canonical form of the content, which the proto defines for each kind.
pub type Digest = [u8; 32];

/// The form of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentKind {
    /// Any JSON value.
    Json,
    /// Parts with MIME types.
    Parts,
    /// Opaque to the server.
    Sealed,
}

impl ContentKind {
    const ALL: [Self; 3] = [Self::Json, Self::Parts, Self::Sealed];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Json => 1,
            Self::Parts => 2,
            Self::Sealed => 3,
        }
    }

    /// The kind of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A content as a caller gave it, before it was checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Any JSON value; its numbers are finite, because others have no JSON form.
    Json(serde_json::Value),
    /// Parts with MIME types.
    Parts(Vec<Part>),
    /// Opaque to the server.
    Sealed(Sealed),
}

impl Body {
    const fn kind(&self) -> ContentKind {
        match self {
            Self::Json(_) => ContentKind::Json,
            Self::Parts(_) => ContentKind::Parts,
            Self::Sealed(_) => ContentKind::Sealed,
        }
    }

    fn check(&self, field: &str, violations: &mut Violations) {
        match self {
            Self::Json(value) => json::check(value, &format!("{field}.json"), violations),
            Self::Parts(parts) => parts::check(parts, &format!("{field}.parts"), violations),
            Self::Sealed(sealed) => sealed.check(&format!("{field}.sealed"), violations),
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Json(value) => json::digest(value),
            Self::Parts(parts) => parts::digest(parts),
            Self::Sealed(sealed) => sealed.digest(),
        }
    }
}

/// A checked content in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Form of the content.
    pub kind: ContentKind,
    /// The bytes that are stored, as the edge encoded them; their number is its size.
    pub encoded: Bytes,
    /// BLAKE3 digest of the content.
    pub digest: Digest,
}

impl Content {
    /// Checks a body and its encoded form. `field` is the content's path in the request. None if
    /// it exceeds a limit that no policy can raise; the reasons are added to the violations.
    pub fn parse(
        body: &Body,
        encoded: Bytes,
        field: &str,
        violations: &mut Violations,
    ) -> Option<Self> {
        let mut found = Violations::none();
        body.check(field, &mut found);
        if encoded.len() > CONTENT_BYTES_CAP {
            let bytes = encoded.len();
            found.add(
                field,
                Reason::MessageTooLarge,
                format!("has {bytes} bytes, at most {CONTENT_BYTES_CAP} are allowed"),
            );
        }
        if !found.is_empty() {
            violations.extend(found);
            return None;
        }
        Some(Self {
            kind: body.kind(),
            digest: body.digest(),
            encoded,
        })
    }

    /// Returns the limit of the policy on bytes, if the content exceeds it.
    #[must_use]
    pub fn exceeds(&self, max: u32) -> Option<LimitExceeded> {
        let bytes = self.encoded.len();
        (bytes > max as usize).then_some(LimitExceeded::ContentBytes { bytes, max })
    }
}
