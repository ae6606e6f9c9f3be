//! Reasons for the rejection of a token. For the log: callers get one text for most of them.

use crate::limits::TOKEN_BYTES_MAX;

/// Reason for the rejection of a token. Holds nothing of the token's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More than one `authorization` header.
    #[error("more than one authorization header")]
    Ambiguous,
    /// An `authorization` header that is not `Bearer` and a token.
    #[error("the authorization header holds no bearer token")]
    NotBearer,
    /// Longer than [`TOKEN_BYTES_MAX`](crate::limits::TOKEN_BYTES_MAX).
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT, or claims of wrong types.
    #[error("malformed")]
    Malformed,
    /// A header that brings a key of its own, or an unknown extension.
    #[error("the header names a key of its own or an extension")]
    Header,
    /// A header with another `typ` than the issuer's tokens have.
    #[error("a token of another type")]
    Type,
    /// An algorithm that is not accepted.
    #[error("an algorithm that is not accepted")]
    Algorithm,
    /// An issuer that is not configured.
    #[error("an unknown issuer")]
    Issuer,
    /// No such key of the issuer for the algorithm.
    #[error("an unknown key")]
    Key,
    /// Not signed by the named key.
    #[error("a wrong signature")]
    Signature,
    /// An audience that is no kind of caller, or is both.
    #[error("a wrong audience")]
    Audience,
    /// A kind of caller that the issuer may not speak for.
    #[error("the issuer may not speak for this kind of caller")]
    Kind,
    /// No claim that the issuer requires, or another value of it.
    #[error("a required claim is missing or has another value")]
    Required,
    /// No `app`, or a malformed one.
    #[error("no valid app id")]
    App,
    /// An app that the issuer may not speak for.
    #[error("the issuer may not speak for this app")]
    ForeignApp,
    /// A malformed `sub`.
    #[error("a malformed profile id")]
    Profile,
    /// An `nbf` in the future.
    #[error("not valid yet")]
    NotYet,
    /// An `exp` beyond the longest life of the issuer's tokens, perhaps in milliseconds.
    #[error("valid for longer than the issuer's max_token_life")]
    LongLived,
}

/// The text of [`TokenError::told`].
const _: () = assert!(TOKEN_BYTES_MAX == 16 * 1024);

impl TokenError {
    /// Name of the reason in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::NotBearer => "not_bearer",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Header => "header",
            Self::Type => "type",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Kind => "kind",
            Self::Required => "required",
            Self::App => "app",
            Self::ForeignApp => "foreign_app",
            Self::Profile => "profile",
            Self::NotYet => "not_yet",
            Self::LongLived => "long_lived",
        }
    }

    /// Reason for the caller, who could not use it to probe; empty for the others.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::TooLong => ": it has more than 16 KiB",
            Self::NotYet => ": it is not valid yet",
            Self::LongLived => ": it is valid for longer than its issuer's max_token_life",
            _ => "",
        }
    }
}
