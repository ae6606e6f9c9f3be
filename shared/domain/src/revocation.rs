//! Revocations of tokens.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Revocation of the tokens of a profile that were issued before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Time of issue before which tokens are revoked.
    pub before: Millis,
    /// Number among the revocations of the app, from 1: replicas compare it with the number that
    /// they know.
    pub number: i64,
}

/// Returns whether a token of a profile is revoked whose tokens are revoked before a time. One
/// without a time of issue is.
#[must_use]
pub fn is_revoked(issued_at: Option<Millis>, before: Millis) -> bool {
    issued_at.is_none_or(|issued_at| issued_at < before)
}
