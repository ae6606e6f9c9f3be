//! Lists of erasures, which are kept outside of the database: a restored backup has again who was
//! erased since, and erases them again by such a list.

use std::collections::{BTreeMap, BTreeSet};

use domain::{AppId, ErasureKey, Millis};
use uuid::Uuid;

/// An erasure of a profile, by the key of the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedErasure {
    /// App of the profile.
    pub app: AppId,
    /// Key of the profile.
    pub key: ErasureKey,
    /// Time of the request.
    pub requested: Millis,
}

/// Place of an erasure in the order of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasurePlace {
    /// Number of the app.
    pub app_no: i64,
    /// Key of the profile.
    pub key: Uuid,
}

/// A part of the list of all erasures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasurePart {
    /// The erasures.
    pub erasures: Vec<ListedErasure>,
    /// Last erasure of the part, behind which the next one starts. None after the last part.
    pub next: Option<ErasurePlace>,
}

/// Listed erasures by app and profile, the latest of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasureList(BTreeMap<(AppId, ErasureKey), Millis>);

impl ErasureList {
    /// Time of the listed erasure of a profile; none if it is not listed.
    #[must_use]
    pub fn requested(&self, app: &AppId, key: ErasureKey) -> Option<Millis> {
        self.0.get(&(app.clone(), key)).copied()
    }

    /// Apps with listed erasures, each once.
    pub fn apps(&self) -> impl Iterator<Item = &AppId> {
        let apps: BTreeSet<&AppId> = self.0.keys().map(|(app, _)| app).collect();
        apps.into_iter()
    }
}

impl Extend<ListedErasure> for ErasureList {
    fn extend<T: IntoIterator<Item = ListedErasure>>(&mut self, erasures: T) {
        for ListedErasure {
            app,
            key,
            requested,
        } in erasures
        {
            let latest = self.0.entry((app, key)).or_insert(requested);
            *latest = requested.max(*latest);
        }
    }
}

/// Place among the rows of an app that name profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamingPlace {
    /// Place of the table in the order of the tables.
    pub table: usize,
    /// The UUID in the key of the last row looked at, if the table has one there.
    pub id: Uuid,
    /// The numbers in its key.
    pub numbers: [i64; 2],
    /// The profile in its key.
    pub profile: String,
}

/// Result of erasing again the listed profiles that a range of an app's rows names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepeatedErasures {
    /// Number of rows looked at.
    pub rows: u64,
    /// Number of erasures begun.
    pub begun: u64,
    /// Place at which the next range starts. None after the last range.
    pub next: Option<NamingPlace>,
}
