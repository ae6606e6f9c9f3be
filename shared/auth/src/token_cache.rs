//! Cache of verified tokens.

use std::sync::Arc;

use domain::Millis;
use domain::number::saturating;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use telemetry::CacheMetrics;

use crate::issuer_keys::IssuerKeys;
use crate::limits::VERIFIED_BYTES_MAX;
use crate::{Identity, TokenSigner};

/// Result of a verification.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub identity: Identity,
    pub signer: TokenSigner,
    /// Keys of the issuer.
    pub keys: Arc<IssuerKeys>,
    /// Version of the keys at the time of the verification.
    pub keys_version: blake3::Hash,
    pub verified_at: Millis,
    pub expires_at: Millis,
    /// Time of issue; none if the token has none.
    pub issued_at: Option<Millis>,
}

/// Verified tokens by their hash, so that no token is kept in memory. Bounded by
/// [`VERIFIED_BYTES_MAX`].
pub(crate) struct TokenCache {
    verified: Cache<blake3::Hash, Arc<VerifiedToken>, TokenWeighter>,
    metrics: CacheMetrics,
}

impl TokenCache {
    pub fn new() -> Self {
        let entries = VERIFIED_BYTES_MAX / size_of::<VerifiedToken>() as u64;
        Self {
            verified: Cache::with_weighter(saturating(entries), VERIFIED_BYTES_MAX, TokenWeighter),
            metrics: CacheMetrics::new("token"),
        }
    }

    /// Returns the verification of a token, if it is cached and current.
    pub fn get(
        &self,
        token: &str,
        is_current: impl FnOnce(&VerifiedToken) -> bool,
    ) -> Option<Arc<VerifiedToken>> {
        let found = self.verified.get(&blake3::hash(token.as_bytes()));
        self.metrics
            .record(found.filter(|verified| is_current(verified)))
    }

    pub fn put(&self, token: &str, verified: Arc<VerifiedToken>) {
        self.verified
            .insert(blake3::hash(token.as_bytes()), verified);
    }
}

/// Weighs entries by their size in memory.
#[derive(Clone)]
struct TokenWeighter;

impl Weighter<blake3::Hash, Arc<VerifiedToken>> for TokenWeighter {
    fn weight(&self, _: &blake3::Hash, verified: &Arc<VerifiedToken>) -> u64 {
        let kid = verified.signer.kid.as_deref().unwrap_or_default();
        (size_of::<VerifiedToken>() + verified.identity.bytes() + kid.len()) as u64
    }
}
