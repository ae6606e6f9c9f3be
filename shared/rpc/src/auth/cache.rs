//! Tokens that were verified lately.

use std::sync::Arc;

use domain::Millis;
use foldhash::fast::RandomState;
use moka::policy::EvictionPolicy;

use super::claims::Caller;
use super::keys::Keys;
use crate::limits::VERIFIED_BYTES_MAX;

/// What is known of a token that was verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// Whom it speaks for.
    pub caller: Caller,
    /// The keys of its issuer.
    pub keys: Arc<Keys>,
    /// Their version when they verified it.
    pub version: blake3::Hash,
    /// When.
    pub at: Millis,
    /// When it expires.
    pub expires: Millis,
}

/// Verified tokens by their hash: a token itself is kept nowhere. Whoever takes one looks
/// how old it is.
pub(super) struct Cache(moka::sync::Cache<blake3::Hash, Arc<Verified>, RandomState>);

impl Cache {
    pub fn new() -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(VERIFIED_BYTES_MAX)
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|_, verified: &Arc<Verified>| weight(verified));
        Self(cache.build_with_hasher(RandomState::default()))
    }

    pub fn get(&self, token: &str) -> Option<Arc<Verified>> {
        self.0.get(&blake3::hash(token.as_bytes()))
    }

    pub fn put(&self, token: &str, verified: Arc<Verified>) {
        self.0.insert(blake3::hash(token.as_bytes()), verified);
    }
}

fn weight(verified: &Verified) -> u32 {
    let bytes = size_of::<Verified>() + verified.caller.bytes();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
