//! Buckets of profiles that called recently.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use domain::number::saturating;
use domain::{AppId, ProfileId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::gcra::Bucket;
use crate::caller::User;
use crate::limits::PROFILE_BUCKETS_BYTES_MAX;

/// Buckets of one profile.
#[derive(Default)]
pub(super) struct ProfileBuckets {
    pub calls: Bucket,
    pub sends: Bucket,
}

type ProfileKey = (AppId, ProfileId);
pub(super) type SharedBuckets = Arc<Mutex<ProfileBuckets>>;

/// Cache of the buckets of profiles, within [`PROFILE_BUCKETS_BYTES_MAX`]. An evicted profile
/// finds full buckets when it calls again; by then they would be full anyway, unless more
/// profiles call at once than the cache holds.
pub(super) struct BucketCache(Cache<ProfileKey, SharedBuckets, ProfileWeighter>);

impl BucketCache {
    pub fn new() -> Self {
        let entries = PROFILE_BUCKETS_BYTES_MAX / ENTRY_BYTES;
        Self(Cache::with_weighter(
            saturating(entries),
            PROFILE_BUCKETS_BYTES_MAX,
            ProfileWeighter,
        ))
    }

    pub fn get(&self, user: &User) -> SharedBuckets {
        let key = (user.app().clone(), user.profile().clone());
        let entry = self
            .0
            .get_or_insert_with(&key, || Ok::<_, Infallible>(SharedBuckets::default()));
        entry.unwrap_or_else(|never| match never {})
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

/// Size of an entry without the texts of its key, in bytes: its types, and 176 bytes of the
/// cache and the allocator, as measured.
const ENTRY_BYTES: u64 =
    (size_of::<Mutex<ProfileBuckets>>() + size_of::<ProfileKey>() + 176) as u64;

/// Weighs entries by their size in memory.
#[derive(Clone)]
struct ProfileWeighter;

impl Weighter<ProfileKey, SharedBuckets> for ProfileWeighter {
    fn weight(&self, (app, profile): &ProfileKey, _: &SharedBuckets) -> u64 {
        ENTRY_BYTES + (app.as_str().len() + profile.as_str().len()) as u64
    }
}
