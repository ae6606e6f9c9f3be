//! Identifiers of keys.

use jsonwebtoken::Algorithm;

/// Identifier of a key. Each key is for one algorithm, so a token cannot choose another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyId {
    pub kid: String,
    pub algorithm: Algorithm,
}
