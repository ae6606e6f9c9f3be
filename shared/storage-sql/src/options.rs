//! Options of a store.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::AuditKey;
use domain::limits::{AUDIT_KEEP_DEFAULT_MS, BATCH_OPERATIONS_MAX};
use domain::{MessageIdSource, Policy};
use storage::{ChangeListener, Clock, NoListener};

use crate::clock::{CLOCK_SKEW, CheckedClock};
use crate::ids::MonotonicIds;

/// Default number of connections that write to `PostgreSQL`; `SQLite` has one.
pub const WRITE_CONNECTIONS: u32 = 4;
/// Default number of connections that read.
pub const READ_CONNECTIONS: u32 = 8;

/// Default size of the message cache, in bytes: 256 MiB.
pub const MESSAGE_CACHE_BYTES: u64 = 256 * 1024 * 1024;

/// Options of group commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneOptions {
    /// Number of lanes, each with one transaction at a time; at most one less than the
    /// connections that write, and one on `SQLite`. Default 1, which makes the largest batches
    /// at the least cost; more pay if the database has processors to spare.
    pub count: usize,
    /// Maximum number of operations in one transaction.
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

/// LISTEN/NOTIFY between the stores on one database; `SQLite` has none.
#[derive(Clone, Default)]
pub enum Notify {
    /// At the url of the database.
    #[default]
    Database,
    /// At another url of the same database: a direct one, if that of the database leads
    /// through a pooler.
    Url(String),
    /// Off: stores poll.
    Off,
}

/// Protection of what travels between a store and its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseLink {
    /// A file, a Unix socket, or the loopback interface.
    Local,
    /// TLS, with the certificate and the name of the server verified.
    Verified,
    /// No TLS, or TLS with a server that is not verified: readable and changeable on the way.
    Unverified,
}

/// Claim of a store on an `SQLite` file; on `PostgreSQL` it has no effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// Creates a missing file, and brings its schema up to date.
    #[default]
    Create,
    /// As [`Create`](Self::Create), and refuses a file that another process has opened
    /// exclusively.
    Exclusive,
    /// Neither creates nor migrates.
    Existing,
}

/// Time limits of the work on a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Maximum wait for a free connection, and to connect.
    pub acquire: Duration,
    /// Maximum wait for a lock of another transaction; a conflict after that.
    pub lock: Duration,
    /// Maximum duration of a statement, enforced by the server. The connection is closed if
    /// there is no answer a second later.
    pub statement: Duration,
    /// Maximum duration of a write that no caller asked for: creating or settling a mailbox
    /// that is read.
    pub settle: Duration,
}

impl Timeouts {
    /// Maximum wait for the answer to a statement: the error of the server arrives before.
    pub(crate) const fn answer(&self) -> Duration {
        self.statement.saturating_add(Duration::from_secs(1))
    }
}

/// Options of the audit log.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Key of its MACs. Default none: operations of audited calls fail, and nothing is chained.
    pub key: Option<AuditKey>,
    /// Key that `key` replaces: chains that it has sealed go on with `key`. Default none.
    pub previous_key: Option<AuditKey>,
    /// Milliseconds for which records are kept. Default: a year.
    pub keep_ms: i64,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            key: None,
            previous_key: None,
            keep_ms: AUDIT_KEEP_DEFAULT_MS,
        }
    }
}

/// Clock of a store.
#[derive(Clone)]
pub enum StoreClock {
    /// A clock that the store checks while it is open.
    Checked(Arc<CheckedClock>),
    /// A clock that is right as it is.
    Trusted(Arc<dyn Clock>),
}

impl StoreClock {
    /// Returns the clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::Checked(clock) => clock.clone(),
            Self::Trusted(clock) => clock.clone(),
        }
    }
}

/// Options of a store.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://…`.
    pub url: String,
    /// Claim on an `SQLite` file.
    pub file_access: FileAccess,
    /// Policy of apps that override nothing.
    pub policy: Policy,
    /// Maximum number of connections that write; `SQLite` has one.
    pub write_connections: u32,
    /// Maximum number of connections that read.
    pub read_connections: u32,
    /// Options of group commit.
    pub lanes: LaneOptions,
    /// Time limits. Default: those of the database system.
    pub timeouts: Option<Timeouts>,
    /// Notifications between stores.
    pub notify: Notify,
    /// Options of the audit log.
    pub audit: AuditOptions,
    /// Maximum size of the message cache, in bytes; 0: none.
    pub message_cache_bytes: u64,
    /// Clock of the store.
    pub clock: StoreClock,
    /// Source of message ids.
    pub ids: Arc<dyn MessageIdSource>,
    /// Listener for committed changes. Default: none.
    pub listener: Arc<dyn ChangeListener>,
}

impl Options {
    /// Returns the url for LISTEN; none if notifications are off.
    pub(crate) fn notify_url(&self) -> Option<&str> {
        match &self.notify {
            Notify::Database => Some(&self.url),
            Notify::Url(url) => Some(url),
            Notify::Off => None,
        }
    }

    /// Returns the default options for a url.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            file_access: FileAccess::default(),
            policy: Policy::default(),
            write_connections: WRITE_CONNECTIONS,
            read_connections: READ_CONNECTIONS,
            lanes: LaneOptions::default(),
            timeouts: None,
            notify: Notify::default(),
            audit: AuditOptions::default(),
            message_cache_bytes: MESSAGE_CACHE_BYTES,
            clock: StoreClock::Checked(Arc::new(CheckedClock::new(CLOCK_SKEW))),
            ids: Arc::new(MonotonicIds::default()),
            listener: Arc::new(NoListener),
        }
    }
}
