//! Cache of verified tokens.

use std::sync::Arc;

use domain::Millis;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::Identity;
use crate::issuer_keys::IssuerKeys;
use crate::limits::VERIFIED_BYTES_MAX;

/// Result of a verification.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub identity: Identity,
    /// Keys of the issuer.
    pub keys: Arc<IssuerKeys>,
    /// Version of the keys at the time of the verification.
    pub keys_version: blake3::Hash,
    pub verified_at: Millis,
    pub expires_at: Millis,
}

/// Verified tokens by their hash, so that no token is kept in memory. Bounded by
/// [`VERIFIED_BYTES_MAX`]; readers check the age of an entry.
pub(crate) struct TokenCache(Cache<blake3::Hash, Arc<VerifiedToken>, TokenWeighter>);

impl TokenCache {
    pub fn new() -> Self {
        let entries = VERIFIED_BYTES_MAX / size_of::<VerifiedToken>() as u64;
        let entries = usize::try_from(entries).unwrap_or(usize::MAX);
        let cache = Cache::with_weighter(entries, VERIFIED_BYTES_MAX, TokenWeighter);
        Self(cache)
    }

    pub fn get(&self, token: &str) -> Option<Arc<VerifiedToken>> {
        self.0.get(&blake3::hash(token.as_bytes()))
    }

    pub fn put(&self, token: &str, verified: Arc<VerifiedToken>) {
        self.0.insert(blake3::hash(token.as_bytes()), verified);
    }
}

/// Weighs entries by their size in memory.
#[derive(Clone)]
struct TokenWeighter;

impl Weighter<blake3::Hash, Arc<VerifiedToken>> for TokenWeighter {
    fn weight(&self, _: &blake3::Hash, verified: &Arc<VerifiedToken>) -> u64 {
        (size_of::<VerifiedToken>() + verified.identity.bytes()) as u64
    }
}
