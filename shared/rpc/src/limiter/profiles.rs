//! The buckets of the profiles that called lately.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use domain::{AppId, ProfileId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::bucket::Slot;
use crate::caller::User;
use crate::limits::PROFILE_BUCKETS_BYTES_MAX;

/// The buckets of one profile.
#[derive(Default)]
pub(super) struct Profile {
    pub calls: Slot,
    pub sends: Slot,
}

type Key = (AppId, ProfileId);
type Entry = Arc<Mutex<Profile>>;

/// Only so many, however many profiles call. Who has not called for long makes room, and finds
/// full buckets when coming back: they would be full by then anyway, unless more profiles
/// call at once than there is room for.
pub(super) struct Profiles(Cache<Key, Entry, Weight>);

impl Profiles {
    pub fn new() -> Self {
        let about = PROFILE_BUCKETS_BYTES_MAX / ENTRY_BYTES;
        let about = usize::try_from(about).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(
            about,
            PROFILE_BUCKETS_BYTES_MAX,
            Weight,
        ))
    }

    pub fn get(&self, user: &User) -> Entry {
        let key = (user.app().clone(), user.profile().clone());
        let entry = self
            .0
            .get_or_insert_with(&key, || Ok::<_, Infallible>(Entry::default()));
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

/// Bytes of an entry beside the texts of its key, as measured: what it holds, and what the cache
/// and the allocator take for that.
const ENTRY_BYTES: u64 = (size_of::<Mutex<Profile>>() + size_of::<Key>() + 176) as u64;

/// Profiles weigh the bytes that they take.
#[derive(Clone)]
struct Weight;

impl Weighter<Key, Entry> for Weight {
    fn weight(&self, (app, profile): &Key, _: &Entry) -> u64 {
        ENTRY_BYTES + (app.as_str().len() + profile.as_str().len()) as u64
    }
}
