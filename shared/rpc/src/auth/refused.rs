//! What is wrong with a token. For the log: callers get one text for all of it.

/// Why a token was refused. Nothing of what it says is in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than one `authorization` header came along.
    #[error("more than one authorization header")]
    Ambiguous,
    /// The header is not `Bearer` and a token.
    #[error("the authorization header holds no bearer token")]
    NotBearer,
    /// It is longer than a token may be.
    #[error("longer than a token may be")]
    TooLong,
    /// It is no JWT, or its claims are not of the right types.
    #[error("malformed")]
    Malformed,
    /// Its header asks to trust a key of its own, or what we do not know.
    #[error("its header names a key of its own or an extension")]
    Header,
    /// Its algorithm is none of those that are accepted.
    #[error("an algorithm that is not accepted")]
    Algorithm,
    /// Its issuer is not configured.
    #[error("an unknown issuer")]
    Issuer,
    /// Its issuer has no such key for its algorithm.
    #[error("an unknown key")]
    Key,
    /// It was not signed with the key that it names.
    #[error("a wrong signature")]
    Signature,
    /// It is for none of our kinds of callers, or for both.
    #[error("a wrong audience")]
    Audience,
    /// Its issuer does not speak for this kind of caller.
    #[error("its issuer does not speak for this kind of caller")]
    Kind,
    /// Its `app` is no app id.
    #[error("a malformed app id")]
    App,
    /// Its issuer does not speak for this app.
    #[error("its issuer does not speak for this app")]
    ForeignApp,
    /// Its `sub` is no profile id.
    #[error("a malformed profile id")]
    Profile,
    /// Its `name` or `pic` is too long, or holds what no text may hold.
    #[error("a malformed name or picture")]
    Sender,
    /// Its time has not come.
    #[error("not valid yet")]
    NotYet,
}
