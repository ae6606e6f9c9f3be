//! Tokens that were verified lately.

use std::sync::Arc;

use domain::Millis;
use quick_cache::Weighter;

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
pub(super) struct Cache(quick_cache::sync::Cache<blake3::Hash, Arc<Verified>, Weight>);

impl Cache {
    pub fn new() -> Self {
        let about = VERIFIED_BYTES_MAX / size_of::<Verified>() as u64;
        let about = usize::try_from(about).unwrap_or(usize::MAX);
        let cache = quick_cache::sync::Cache::with_weighter(about, VERIFIED_BYTES_MAX, Weight);
        Self(cache)
    }

    pub fn get(&self, token: &str) -> Option<Arc<Verified>> {
        self.0.get(&blake3::hash(token.as_bytes()))
    }

    pub fn put(&self, token: &str, verified: Arc<Verified>) {
        self.0.insert(blake3::hash(token.as_bytes()), verified);
    }
}

/// Tokens weigh the bytes that they take.
#[derive(Clone)]
struct Weight;

impl Weighter<blake3::Hash, Arc<Verified>> for Weight {
    fn weight(&self, _: &blake3::Hash, verified: &Arc<Verified>) -> u64 {
        (size_of::<Verified>() + verified.caller.bytes()) as u64
    }
}
