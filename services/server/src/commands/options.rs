//! What the commands have in common that need the configuration.

use std::path::PathBuf;

use clap::Args;
use storage_sql::Notify;

use crate::config::{Config, DatabaseUrl, Flags, Sources};
use crate::dev::{self, DataDir};
use crate::failure::Failure;

const DATABASE_HELP: &str = "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE";
const LEVEL_HELP: &str = "A level, or directives such as info,postroom_rpc=debug";

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; every key is in services/server/postroom.toml
    #[arg(long, env = "POSTROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "URL", help = DATABASE_HELP)]
    database_url: Option<String>,
    /// Use the development data directory: its database, and for serve its key
    #[arg(long)]
    pub dev: bool,
    /// Where the development data is
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR, value_name = "DIR")]
    pub data_dir: PathBuf,
    #[arg(long, value_name = "FILTER", help = LEVEL_HELP)]
    log_level: Option<String>,
    /// text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ConfigArgs {
    /// The configuration from defaults, file, variables and flags.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn load(&self, flags: Flags) -> Result<Config, Failure> {
        let flags = flags
            .with("--database-url", "database.url", self.database_url.clone())
            .with("--log-level", "log.level", self.log_level.clone())
            .with("--log-format", "log.format", self.log_format.clone());
        let sources = Sources {
            database: self.dev.then(|| self.dev_database()).transpose()?,
            file: self.config.as_deref(),
            variables: variables(),
            flags,
        };
        Ok(sources.load()?)
    }

    fn dev_database(&self) -> Result<DatabaseUrl, Failure> {
        Ok(DataDir::create(&self.data_dir)?.database_url())
    }
}

/// The process' variables, as far as they are text.
fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// How the store is opened.
pub fn store_options(config: &Config) -> storage_sql::Options {
    storage_sql::Options {
        policy: config.policy.to_policy(config.quotas.to_quotas()),
        notify: notify(config),
        write_connections: config.database.write_connections.get(),
        read_connections: config.database.read_connections.get(),
        lanes: config.lanes.to_store(),
        message_cache_bytes: u64::from(config.database.message_cache_mib.get()) * 1024 * 1024,
        ..storage_sql::Options::new(config.database.url.expose())
    }
}

/// How replicas hear of each other's changes.
fn notify(config: &Config) -> Notify {
    match &config.database.notify_url {
        _ if !config.database.notify => Notify::Off,
        Some(url) => Notify::Url(url.expose().to_owned()),
        None => Notify::Database,
    }
}
