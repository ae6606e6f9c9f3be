//! The configuration: one struct with every key and its default.
//!
//! `postroom.toml`, beside this crate's `Cargo.toml`, documents all keys; a test compares the two.
//! Parsing checks the bounds of each value, and errors name key and source.

mod audit;
mod bounded;
mod check;
mod database_url;
mod environment;
mod error;
mod flags;
mod hex_key;
mod keep_time;
mod keys;
mod lifetime;
mod listener;
mod load;
mod otlp_endpoint;
mod policy;
mod quotas;
mod secrets;
mod setting;
mod store;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::MEBIBYTE;
use auth::Issuer;
use domain::limits::BATCH_OPERATIONS_MAX;
use rpc::{InFlightLimits, PseudonymKey};
use serde::Deserialize;
use telemetry::{Filter, Format};

pub use audit::AuditConfig;
pub use bounded::Bounded;
pub use database_url::DatabaseUrl;
pub use error::{Error, Problem};
pub use flags::Flags;
pub use hex_key::HexKey;
pub use keep_time::KeepTime;
pub use lifetime::Lifetime;
pub use listener::{ClientConfig, OperationsConfig, SysConfig, TlsPaths, UserConfig};
pub use load::Sources;
pub use otlp_endpoint::OtlpEndpoint;
pub use policy::PolicyDefaults;
pub use quotas::QuotaDefaults;

#[expect(clippy::cast_possible_truncation, reason = "256 fit")]
const BATCH_OPERATIONS: u32 = BATCH_OPERATIONS_MAX as u32;

/// Configuration of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Database and its connection pools.
    pub database: DatabaseConfig,
    /// Group commit of writes.
    pub lanes: LanesConfig,
    /// Listener of `Messaging`.
    pub user: UserConfig,
    /// Listener of `Sys`.
    pub sys: SysConfig,
    /// Listener of probes and metrics.
    pub operations: OperationsConfig,
    /// Options of both gRPC listeners.
    pub grpc: GrpcConfig,
    /// Issuers of tokens, with their apps and kinds of callers.
    pub issuer: Vec<Issuer>,
    /// Policy of apps that have not set their own.
    pub policy: PolicyDefaults,
    /// Quotas of apps that have not set their own.
    pub quotas: QuotaDefaults,
    /// Audit log of `Sys`.
    pub audit: AuditConfig,
    /// Limits of a gRPC listener.
    pub limits: LimitsConfig,
    /// Drain after a signal.
    pub drain: DrainConfig,
    /// Format and level of the log.
    pub log: LogConfig,
    /// Export of traces.
    pub traces: TracesConfig,
}

/// Database and its connection pools.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:path` or `postgres://user:password@host/database`.
    pub url: DatabaseUrl,
    /// File that contains `url`, instead of it.
    pub url_file: Option<PathBuf>,
    /// Permits a server beyond this machine whose certificate is not verified. Default false.
    pub insecure: bool,
    /// Notifications of changes between replicas on `PostgreSQL`. Default true.
    pub notify: bool,
    /// URL of the same database for LISTEN, where `url` leads through a pooler.
    pub notify_url: Option<DatabaseUrl>,
    /// File that contains `notify_url`, instead of it.
    pub notify_url_file: Option<PathBuf>,
    /// Maximum number of connections for writing. Default 4; `SQLite` always has 1.
    pub write_connections: Bounded<1, 64>,
    /// Maximum number of connections for reading. Default 8.
    pub read_connections: Bounded<1, 256>,
    /// Size of the message cache, in MiB. Default 256.
    pub message_cache_mib: Bounded<0, 65_536>,
    /// Maximum difference between the clocks of the machine and of the database. Default 5.
    pub clock_skew_seconds: Bounded<1, 60>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            url_file: None,
            insecure: false,
            notify: true,
            notify_url: None,
            notify_url_file: None,
            write_connections: Bounded::new::<4>(),
            read_connections: Bounded::new::<8>(),
            message_cache_mib: Bounded::new::<256>(),
            clock_skew_seconds: Bounded::new::<5>(),
        }
    }
}

/// Group commit of writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanesConfig {
    /// Concurrent transactions, at most one less than connections for writing. Default 1;
    /// `SQLite` always has 1.
    pub count: Bounded<1, 64>,
    /// Maximum number of operations in one transaction. Default 256.
    pub batch_operations: Bounded<1, BATCH_OPERATIONS>,
}

impl Default for LanesConfig {
    fn default() -> Self {
        Self {
            count: Bounded::new::<1>(),
            batch_operations: Bounded::new::<BATCH_OPERATIONS>(),
        }
    }
}

/// Options of both gRPC listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcConfig {
    /// Reflection, so that clients need no protos. Default false; true with `--dev`.
    pub reflection: bool,
}

/// Limits of a gRPC listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Maximum size of a request to `Messaging`, in bytes. Default 131072.
    pub user_request_bytes: Bounded<1024, MEBIBYTE>,
    /// Maximum size of a request to `Sys`, in bytes. Default 1048576.
    pub sys_request_bytes: Bounded<1024, { 8 * MEBIBYTE }>,
    /// Maximum number of connections; another one takes the place of the idlest, or waits.
    /// Default 10000.
    pub connections: Bounded<1, 1_000_000>,
    /// Maximum number of connections of one address; others are closed. Default 500; 0: no limit.
    pub connections_per_address: Bounded<0, 1_000_000>,
    /// Maximum number of open calls; others are refused as OVERLOADED. Default 2000.
    pub calls_in_flight: Bounded<1, 100_000>,
    /// Maximum number of open calls of one app, those of its profiles included; others are refused as
    /// `RATE_LIMITED`. Default 1600.
    pub calls_per_app: Bounded<1, 100_000>,
    /// Maximum number of open calls of one profile; others are refused as `RATE_LIMITED`. Default 100.
    pub calls_per_profile: Bounded<1, 100_000>,
    /// Maximum size of the answers that callers have not taken yet, in MiB; others are refused.
    /// Default 256.
    pub answers_mib: Bounded<16, 65_536>,
    /// Maximum number of open calls of one connection. Default 250.
    pub streams_per_connection: Bounded<1, 1_000>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            user_request_bytes: Bounded::new::<{ 128 * 1024 }>(),
            sys_request_bytes: Bounded::new::<MEBIBYTE>(),
            connections: Bounded::new::<10_000>(),
            connections_per_address: Bounded::new::<500>(),
            calls_in_flight: Bounded::new::<2_000>(),
            calls_per_app: Bounded::new::<1_600>(),
            calls_per_profile: Bounded::new::<100>(),
            answers_mib: Bounded::new::<256>(),
            streams_per_connection: Bounded::new::<250>(),
        }
    }
}

impl LimitsConfig {
    /// Limits of what is in flight.
    pub fn in_flight(&self) -> InFlightLimits {
        InFlightLimits {
            calls_per_profile: self.calls_per_profile.size(),
            calls_per_app: self.calls_per_app.size(),
            answer_bytes: self.answers_mib.size() * MEBIBYTE as usize,
        }
    }
}

/// Drain after SIGTERM, SIGINT or SIGQUIT.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrainConfig {
    /// Seconds in which the service says that it is not ready, and serves as before, so that load
    /// balancers turn to others before connections are refused. Default 5; 0 with `--dev`.
    pub delay_seconds: Bounded<0, 300>,
    /// Seconds in which open calls may end, after the delay. Default 10.
    pub calls_seconds: Bounded<0, 300>,
}

impl Default for DrainConfig {
    fn default() -> Self {
        Self {
            delay_seconds: Bounded::new::<5>(),
            calls_seconds: Bounded::new::<10>(),
        }
    }
}

impl DrainConfig {
    pub fn delay(&self) -> Duration {
        Duration::from_secs(self.delay_seconds.get().into())
    }

    pub fn calls(&self) -> Duration {
        Duration::from_secs(self.calls_seconds.get().into())
    }
}

/// Format and level of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`. Default `text`.
    pub format: Format,
    /// Level, or directives such as `info,postroom_rpc=debug`. Default `info`.
    pub level: Filter,
    /// Key of the pseudonyms in the log. Default: random at each start.
    pub pseudonym_key: Option<HexKey>,
    /// File that contains `pseudonym_key`, instead of it.
    pub pseudonym_key_file: Option<PathBuf>,
}

impl LogConfig {
    /// Returns the key of the pseudonyms in the log, a new one with each call unless configured.
    pub fn pseudonym_key(&self) -> PseudonymKey {
        let key = self.pseudonym_key.as_ref().map(HexKey::bytes);
        PseudonymKey::new(key.unwrap_or_else(rand::random))
    }
}

/// Export of traces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// OTLP endpoint of a collector, over gRPC, such as `http://host:4317`. Default: no traces.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

#[cfg(test)]
mod tests;
