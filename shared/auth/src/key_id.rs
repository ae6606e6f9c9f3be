//! Identifiers of keys.

use jsonwebtoken::Algorithm;

/// Identifier of a key, as its set or a token states it. Each key is for one algorithm, so a token
/// cannot choose another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyId {
    /// `kid`, which is optional on both sides.
    pub kid: Option<String>,
    pub algorithm: Algorithm,
}
