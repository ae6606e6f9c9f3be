//! Identifiers. An id that exists is valid: `parse` is the only way to make one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::ID_BYTES_MAX;
use crate::time::Millis;

/// Reason why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// The text is empty.
    Empty,
    /// The text is longer than an id may be.
    TooLong,
    /// The text has a byte outside `[A-Za-z0-9._:@|+=-]`.
    Charset,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "must not be empty"),
            Self::TooLong => write!(f, "must have at most {ID_BYTES_MAX} bytes"),
            Self::Charset => write!(f, "must consist of A-Z a-z 0-9 . _ : @ | + = -"),
        }
    }
}

impl std::error::Error for IdError {}

fn check(text: &str) -> Result<(), IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@|+=-".contains(&byte);
    match text.len() {
        0 => Err(IdError::Empty),
        length if length > ID_BYTES_MAX => Err(IdError::TooLong),
        _ if text.bytes().all(allowed) => Ok(()),
        _ => Err(IdError::Charset),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes 1 to 128 bytes of `[A-Za-z0-9._:@|+=-]`.
            ///
            /// # Errors
            /// The reason why the text is no id.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check(text)?;
                Ok(Self(text.into()))
            }

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

text_id! {
    /// A tenant. Compared bytewise.
    AppId
}
text_id! {
    /// A user of an app. Compared bytewise.
    ProfileId
}

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
    fn ids_of_the_charset_are_taken_as_written() {
        for text in ["a", "kbadk:github", "A.b_c:d@e|f+g=h-9", &"x".repeat(128)] {
            assert_eq!(
                ProfileId::parse(text).map(|id| id.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn ids_outside_the_rules_say_why() {
        assert_eq!(AppId::parse(""), Err(IdError::Empty));
        assert_eq!(AppId::parse(&"x".repeat(129)), Err(IdError::TooLong));
        for text in ["a b", "ä", "a\0", "a,b", "a/b"] {
            assert_eq!(AppId::parse(text), Err(IdError::Charset), "{text:?}");
        }
    }

    #[test]
    fn ids_compare_bytewise() {
        let [upper, lower] = ["Z", "a"].map(|text| ProfileId::parse(text).expect("an id"));
        assert!(upper < lower);
    }
}
