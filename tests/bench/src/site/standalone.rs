//! A service on a new database of its own.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use support::temp_folder::TempFolder;

use crate::measure::meter::{Meter, MeteredDatabase};
use crate::site::postgres::Postgres;
use crate::site::server::BenchServer;

/// The service, and where its data is. It ends with this value: the server first.
pub struct StandaloneService {
    pub server: BenchServer,
    /// The url of its database.
    pub url: String,
    postgres: Option<Postgres>,
    _folder: Option<TempFolder>,
}

impl StandaloneService {
    /// Starts a service on a cluster of `PostgreSQL`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn postgres(program: &Path) -> anyhow::Result<Self> {
        let postgres = Postgres::start().await?;
        let url = postgres.server().database().await.url;
        Ok(Self {
            server: BenchServer::start(program, &url).await?,
            url,
            postgres: Some(postgres),
            _folder: None,
        })
    }

    /// Starts a service on a file of `SQLite`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn sqlite(program: &Path) -> anyhow::Result<Self> {
        let folder = TempFolder::new();
        let url = format!("sqlite:{}", folder.join("postroom.db").display());
        Ok(Self {
            server: BenchServer::start(program, &url).await?,
            url,
            postgres: None,
            _folder: Some(folder),
        })
    }

    /// Meter of the service and its database.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn meter(&self) -> anyhow::Result<Meter> {
        let database = match &self.postgres {
            Some(postgres) => Some(MeteredDatabase {
                postmaster: postgres.postmaster,
                connection: PgConnection::connect(&self.url).await?,
            }),
            None => None,
        };
        Ok(Meter {
            servers: vec![self.server.process()],
            database,
        })
    }
}
