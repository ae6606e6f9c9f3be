//! The configuration: one struct, with every key and its default.
//!
//! `postroom.toml`, beside this crate's `Cargo.toml`, documents all of them; a test holds
//! the two together. A value that exists is within its bounds: parsing checks them and
//! says which key is wrong, and in which source.

mod bounded;
mod check;
mod database_url;
mod environment;
mod error;
mod flags;
mod lifetime;
mod listener;
mod load;
mod otlp_endpoint;
mod policy;
mod quotas;
mod schema;
mod setting;

use crate::limits::MEBIBYTE;
use auth::Issuer;
use domain::limits::BATCH_OPERATIONS_MAX;
use serde::Deserialize;
use telemetry::{Filter, Format};

pub use bounded::Bounded;
pub use database_url::DatabaseUrl;
pub use error::{Error, Problem};
pub use flags::Flags;
pub use lifetime::Lifetime;
pub use listener::{OperationsListener, SysListener, TlsPaths, UserListener};
pub use load::Sources;
pub use otlp_endpoint::OtlpEndpoint;
pub use policy::PolicyDefaults;
pub use quotas::QuotaDefaults;

#[expect(clippy::cast_possible_truncation, reason = "256 fit")]
const BATCH_OPERATIONS: u32 = BATCH_OPERATIONS_MAX as u32;

/// Everything that can be chosen about the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the mailboxes are.
    pub database: Database,
    /// How writes are gathered.
    pub lanes: Lanes,
    /// The listener of `Messaging`.
    pub user: UserListener,
    /// The listener of `Sys`.
    pub sys: SysListener,
    /// The listener of probes and metrics.
    pub operations: OperationsListener,
    /// What both gRPC listeners have in common.
    pub grpc: Grpc,
    /// Who may make tokens, for which apps and kinds of callers.
    pub issuer: Vec<Issuer>,
    /// The rules of apps that have not set their own.
    pub policy: PolicyDefaults,
    /// How often callers of apps that have not set their own may call and send.
    pub quotas: QuotaDefaults,
    /// What bounds a listener.
    pub limits: Limits,
    /// How the log is written.
    pub log: Log,
    /// Where traces go.
    pub traces: Traces,
}

/// Where the mailboxes are, and by how many connections they are reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:path` or `postgres://user:password@host/database`.
    pub url: DatabaseUrl,
    /// Whether replicas on `PostgreSQL` tell each other at once what has changed.
    pub notify: bool,
    /// Another way to the same database for that, where `url` leads through a pooler.
    pub notify_url: Option<DatabaseUrl>,
    /// Connections for writing; `SQLite` has one, whatever this says.
    pub write_connections: Bounded<1, 64>,
    /// Connections for reading.
    pub read_connections: Bounded<1, 256>,
    /// MiB of messages that are kept in memory, so that pages need not read them again.
    pub message_cache_mib: Bounded<0, 65_536>,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            notify: true,
            notify_url: None,
            write_connections: Bounded::new::<4>(),
            read_connections: Bounded::new::<8>(),
            message_cache_mib: Bounded::new::<256>(),
        }
    }
}

/// How writes are gathered into transactions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lanes {
    /// Transactions at a time, one less than connections for writing at the most; `SQLite`
    /// has one, whatever this says.
    pub count: Bounded<1, 64>,
    /// Operations in one transaction.
    pub batch_operations: Bounded<1, BATCH_OPERATIONS>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            count: Bounded::new::<1>(),
            batch_operations: Bounded::new::<BATCH_OPERATIONS>(),
        }
    }
}

impl Lanes {
    pub const fn to_store(&self) -> storage_sql::LaneOptions {
        storage_sql::LaneOptions {
            count: self.count.size(),
            batch_operations_max: self.batch_operations.size(),
        }
    }
}

/// What both gRPC listeners have in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grpc {
    /// Whether they describe themselves, so that clients need no protos.
    pub reflection: bool,
}

impl Default for Grpc {
    fn default() -> Self {
        Self { reflection: true }
    }
}

/// What bounds a listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request to `Messaging`.
    pub user_request_bytes: Bounded<1024, MEBIBYTE>,
    /// Bytes of a request to `Sys`.
    pub sys_request_bytes: Bounded<1024, { 8 * MEBIBYTE }>,
    /// Connections of one listener; others wait until one of them ends.
    pub connections: Bounded<1, 1_000_000>,
    /// Calls under way on one listener; more are refused as OVERLOADED.
    pub calls_in_flight: Bounded<1, 100_000>,
    /// Calls under way on one connection.
    pub streams_per_connection: Bounded<1, 250>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            user_request_bytes: Bounded::new::<{ 128 * 1024 }>(),
            sys_request_bytes: Bounded::new::<MEBIBYTE>(),
            connections: Bounded::new::<10_000>(),
            calls_in_flight: Bounded::new::<2_000>(),
            streams_per_connection: Bounded::new::<100>(),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: Format,
    /// A level, or directives such as `info,postroom_rpc=debug`.
    pub level: Filter,
}

/// Where traces go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// The collector's OTLP endpoint over gRPC, as `http://host:4317`; none: no traces.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

#[cfg(test)]
mod tests;
