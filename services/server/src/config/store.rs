//! Options of the store, as the configuration has them.

use std::sync::Arc;
use std::time::Duration;

use storage_sql::{CheckedClock, FileAccess, Notify, StoreClock};

use super::{Config, LanesConfig};
use crate::limits::MEBIBYTE;

impl Config {
    /// Options to open the store with.
    pub fn store_options(&self, file_access: FileAccess) -> storage_sql::Options {
        storage_sql::Options {
            file_access,
            policy: self.policy.to_policy(&self.quotas),
            notify: self.notify(),
            write_connections: self.database.write_connections.get(),
            read_connections: self.database.read_connections.get(),
            lanes: self.lanes.to_store(),
            audit: self.audit.to_store(),
            message_cache_bytes: u64::from(self.database.message_cache_mib.get())
                * u64::from(MEBIBYTE),
            clock: StoreClock::Checked(Arc::new(self.clock())),
            ..storage_sql::Options::new(self.database.url.expose())
        }
    }

    /// Returns a clock that a store is to check.
    pub fn clock(&self) -> CheckedClock {
        let seconds = self.database.clock_skew_seconds.get();
        CheckedClock::new(Duration::from_secs(seconds.into()))
    }

    fn notify(&self) -> Notify {
        match &self.database.notify_url {
            _ if !self.database.notify => Notify::Off,
            Some(url) => Notify::Url(url.expose().to_owned()),
            None => Notify::Database,
        }
    }
}

impl LanesConfig {
    pub(super) const fn to_store(&self) -> storage_sql::LaneOptions {
        storage_sql::LaneOptions {
            count: self.count.size(),
            batch_operations_max: self.batch_operations.size(),
        }
    }
}
