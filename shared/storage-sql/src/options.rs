//! How a store is opened.

use std::sync::Arc;

use domain::limits::BATCH_OPERATIONS_MAX;
use domain::{MessageIdSource, Policy};
use storage::{ChangeListener, Clock, NoListener};

use crate::ids::{MonotonicIds, SystemClock};

/// Connections that write to `PostgreSQL`; `SQLite` has one.
pub const WRITE_CONNECTIONS: u32 = 4;
/// Connections that read.
pub const READ_CONNECTIONS: u32 = 8;

/// Default size of the message cache, in bytes: 256 MiB.
pub const MESSAGE_CACHE_BYTES: u64 = 256 * 1024 * 1024;

/// How writes are gathered into transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneOptions {
    /// Lanes, each with one transaction at a time, one less than connections that write
    /// at the most; `SQLite` has one whatever this says. One gathers the largest batches and
    /// so takes the least of server and database; more pay where the database has processors
    /// to spare.
    pub count: usize,
    /// Operations in one transaction, at the most.
    pub batch_operations_max: usize,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self {
            count: 1,
            batch_operations_max: BATCH_OPERATIONS_MAX,
        }
    }
}

/// How the stores on one database tell each other what has changed, where the database can
/// carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Notify {
    /// By the database's own url.
    #[default]
    Database,
    /// By another way to the same database: one that keeps its connections, where the url
    /// leads through a pooler.
    Url(String),
    /// Not at all: each polls.
    Off,
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://…`.
    pub url: String,
    /// The rules for apps that say nothing else.
    pub policy: Policy,
    /// Connections that write; `SQLite` has one whatever this says.
    pub write_connections: u32,
    /// Connections that read.
    pub read_connections: u32,
    /// How writes are gathered.
    pub lanes: LaneOptions,
    /// How other stores are told of changes, and heard.
    pub notify: Notify,
    /// Maximum size of the message cache, in bytes; 0: none.
    pub message_cache_bytes: u64,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Source of message ids.
    pub ids: Arc<dyn MessageIdSource>,
    /// Listener for committed changes. Default: none.
    pub listener: Arc<dyn ChangeListener>,
}

impl Options {
    /// The way to other stores.
    pub(crate) fn notify_url(&self) -> Option<&str> {
        match &self.notify {
            Notify::Database => Some(&self.url),
            Notify::Url(url) => Some(url),
            Notify::Off => None,
        }
    }

    /// The defaults for a url.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            policy: Policy::default(),
            write_connections: WRITE_CONNECTIONS,
            read_connections: READ_CONNECTIONS,
            lanes: LaneOptions::default(),
            notify: Notify::default(),
            message_cache_bytes: MESSAGE_CACHE_BYTES,
            clock: Arc::new(SystemClock),
            ids: Arc::new(MonotonicIds::default()),
            listener: Arc::new(NoListener),
        }
    }
}
