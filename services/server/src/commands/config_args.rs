//! Arguments of the commands that need the configuration.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Config, DatabaseUrl, Flags, Problem, Sources};
use crate::dev::{self, DataDir};
use crate::failure::Failure;
use clap::Args;
use domain::audit::AuditKey;
use storage::Store;
use storage_sql::{FileAccess, Notify};

const DATABASE_HELP: &str = "sqlite:PATH or postgres://USER@HOST/DATABASE; a password belongs into \
     POSTROOM_DATABASE__URL or a file, POSTROOM_DATABASE__URL_FILE";
const PASSWORD: &str = "contains a password, which other users of the machine see in the list of \
     processes: use POSTROOM_DATABASE__URL, or POSTROOM_DATABASE__URL_FILE";
const LEVEL_HELP: &str = "A level, or directives such as info,postroom_rpc=debug";

/// Sources of the configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file; services/server/postroom.toml documents every key
    #[arg(long, env = "POSTROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "URL", help = DATABASE_HELP)]
    database_url: Option<String>,
    /// Use the database of the development data directory, and for serve its key
    #[arg(long)]
    pub dev: bool,
    /// Development data directory
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR, value_name = "DIR")]
    pub data_dir: PathBuf,
    #[arg(long, value_name = "FILTER", help = LEVEL_HELP)]
    log_level: Option<String>,
    /// Format of the log: text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ConfigArgs {
    /// Loads the configuration from defaults, file, variables and flags. The development data
    /// directory is created if a database file in it may be.
    ///
    /// # Errors
    /// If one of them is invalid.
    pub fn load(&self, flags: Flags, access: FileAccess) -> Result<Config, Failure> {
        let url = self.database_url.clone().map(DatabaseUrl::try_from);
        if url.is_some_and(|url| url.is_ok_and(|url| url.has_password())) {
            return Err(Problem::new("--database-url", PASSWORD).into());
        }
        let flags = flags
            .with("--database-url", "database.url", self.database_url.clone())
            .with("--log-level", "log.level", self.log_level.clone())
            .with("--log-format", "log.format", self.log_format.clone());
        let sources = Sources {
            defaults: self.dev_defaults(access)?,
            file: self.config.as_deref(),
            variables: variables(),
            flags,
        };
        let config = sources.load()?;
        if self.dev {
            dev::require_own_database(&DataDir::open(&self.data_dir)?, &config)?;
        }
        Ok(config)
    }

    /// Opens the store on an existing database, for a command beside the running service. It neither
    /// sends nor hears notifications.
    ///
    /// # Errors
    /// If the configuration is invalid, or the store cannot be opened.
    pub async fn open_store(&self) -> Result<Arc<dyn Store>, Failure> {
        let config = self.load(Flags::default(), FileAccess::Existing)?;
        Self::open(&config).await
    }

    /// Loads the configuration of a command beside the running service that needs the key of the audit
    /// log.
    ///
    /// # Errors
    /// If the configuration is invalid, or the key is not configured.
    pub fn load_with_audit_key(&self) -> Result<(Config, AuditKey), Failure> {
        let config = self.load(Flags::default(), FileAccess::Existing)?;
        let key = config.audit.key();
        let key = key.ok_or_else(|| Problem::new("audit.key", "is missing"))?;
        Ok((config, key))
    }

    /// Opens the store as [`Self::open_store`] does, with a configuration that is loaded.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
        let options = storage_sql::Options {
            notify: Notify::Off,
            ..config.store_options(FileAccess::Existing)
        };
        let opened = storage_sql::open(&options).await;
        Ok(opened.map_err(anyhow::Error::from)?)
    }

    /// Defaults of `--dev`: the database and the key of the audit log in the data directory, no delay of
    /// the drain, and reflection.
    fn dev_defaults(&self, access: FileAccess) -> Result<Flags, Failure> {
        if !self.dev {
            return Ok(Flags::default());
        }
        let (data, audit_key) = match access {
            FileAccess::Create | FileAccess::Exclusive => {
                let data = DataDir::create(&self.data_dir)?;
                let audit_key = dev::create_audit_key(&data)?;
                (data, Some(audit_key))
            }
            FileAccess::Existing => {
                let data = DataDir::open(&self.data_dir)?;
                let audit_key = dev::audit_key(&data)?;
                (data, audit_key)
            }
        };
        let audit_key = audit_key.map(|file| file.display().to_string());
        Ok(Flags::default()
            .with("--dev", "database.url", Some(data.database_url().expose()))
            .with("--dev", "audit.key_file", audit_key)
            .with("--dev", "drain.delay_seconds", Some(0))
            .with("--dev", "grpc.reflection", Some(true)))
    }
}

/// Environment variables of the process that are valid UTF-8.
pub(super) fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}
