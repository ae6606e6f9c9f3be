//! Identifiers. An id that exists is valid: `parse` is the only way to make one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::{APP_ID_BYTES_MAX, PROFILE_ID_BYTES_MAX};
use crate::text::is_unseen;
use crate::time::Millis;

/// Reason why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// The text is empty.
    Empty,
    /// The text is longer than this number of bytes.
    TooLong(usize),
    /// The text of an app id has a byte outside `[A-Za-z0-9._:@|+=-]`.
    Charset,
    /// The text of a profile id has a character of [`is_unseen`].
    Unseen,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "must not be empty"),
            Self::TooLong(bytes_max) => write!(f, "must have at most {bytes_max} bytes"),
            Self::Charset => write!(f, "must consist of A-Z a-z 0-9 . _ : @ | + = -"),
            Self::Unseen => write!(f, "must not have control, bidi or invisible characters"),
        }
    }
}

impl std::error::Error for IdError {}

fn check_length(text: &str, bytes_max: usize) -> Result<(), IdError> {
    match text.len() {
        0 => Err(IdError::Empty),
        length if length > bytes_max => Err(IdError::TooLong(bytes_max)),
        _ => Ok(()),
    }
}

/// An identifier of an app, a tenant: 1 to 128 bytes of `[A-Za-z0-9._:@|+=-]`. Compared bytewise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(Arc<str>);

impl AppId {
    /// Parses an app id.
    ///
    /// # Errors
    /// The reason why the text is no app id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@|+=-".contains(&byte);
        check_length(text, APP_ID_BYTES_MAX)?;
        if !text.bytes().all(allowed) {
            return Err(IdError::Charset);
        }
        Ok(Self(text.into()))
    }
}

/// An identifier of a user of an app: 1 to 256 bytes of UTF-8 without control, bidi and invisible
/// characters ([`is_unseen`]). Compared bytewise: letters are neither folded nor normalized.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(Arc<str>);

impl ProfileId {
    /// Parses a profile id.
    ///
    /// # Errors
    /// The reason why the text is no profile id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check_length(text, PROFILE_ID_BYTES_MAX)?;
        if text.contains(is_unseen) {
            return Err(IdError::Unseen);
        }
        Ok(Self(text.into()))
    }
}

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// The id as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

text_id!(AppId);
text_id!(ProfileId);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that the server made or stored.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Parses the text of a caller; none if it is no UUID.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }

            /// Reads an id of sixteen bytes; none if there are others.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

uuid_id! {
    /// A message, the same in every box that holds it: a `UUIDv7` that the server made, so
    /// that ids sort in the order of sending.
    MessageId
}
uuid_id! {
    /// Id of a send job: a `UUIDv7`.
    JobId
}
uuid_id! {
    /// Id of a conversation: a `UUIDv7` that the server made, or any that a client chose.
    ConversationId
}

/// A source of message ids.
pub trait MessageIdSource: fmt::Debug + Send + Sync {
    /// Returns a new id: a `UUIDv7` of the given time or a later one, greater than all that
    /// this source has returned before.
    fn next(&self, now: Millis) -> MessageId;
}

impl MessageId {
    /// Returns the time of the send encoded in the id; none for an id of another version.
    #[must_use]
    pub fn time_ms(self) -> Option<Millis> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let seconds_ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
        Some(Millis(seconds_ms + i64::from(nanos / 1_000_000)))
    }
}

impl JobId {
    /// The id that no job has.
    pub const NONE: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_ids_of_identity_providers_are_taken_as_written() {
        for text in [
            "a",
            "kbadk:github",
            "A.b_c:d@e|f+g=h-9",
            "3q2+/w==",
            "samlp|corp|o'neil@example.com",
            "EXAMPLE\\anna",
            "f:0c1e:anna maria",
            "อานนท์",
            "e\u{301}",
            &"x".repeat(256),
        ] {
            assert_eq!(
                ProfileId::parse(text).map(|id| id.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn profile_ids_outside_the_rule_say_why() {
        assert_eq!(ProfileId::parse(""), Err(IdError::Empty));
        assert_eq!(
            ProfileId::parse(&"x".repeat(257)),
            Err(IdError::TooLong(256))
        );
        for text in ["a\0", "a\nb", "a\tb", "\u{202e}a", "a\u{200b}", "\u{feff}a"] {
            assert_eq!(ProfileId::parse(text), Err(IdError::Unseen), "{text:?}");
        }
    }

    #[test]
    fn app_ids_outside_the_rule_say_why() {
        assert!(AppId::parse(&"x".repeat(128)).is_ok());
        assert_eq!(AppId::parse(""), Err(IdError::Empty));
        assert_eq!(AppId::parse(&"x".repeat(129)), Err(IdError::TooLong(128)));
        for text in ["a b", "ä", "a\0", "a,b", "a/b"] {
            assert_eq!(AppId::parse(text), Err(IdError::Charset), "{text:?}");
        }
    }

    #[test]
    fn ids_compare_bytewise() {
        let [upper, lower, beyond] =
            ["Z", "a", "é"].map(|text| ProfileId::parse(text).expect("an id"));
        assert!(upper < lower && lower < beyond);
        let composed = ProfileId::parse("\u{e9}");
        assert_ne!(ProfileId::parse("e\u{301}"), composed);
    }
}
