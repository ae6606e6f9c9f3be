//! A service on a new database of its own.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use support::folder::Folder;

use crate::measure::meter::{Database, Meter};
use crate::site::postgres::Postgres;
use crate::site::server::Server;

/// The service, and where its data is. It ends with this value: the server first.
pub struct Alone {
    pub server: Server,
    /// The url of its database.
    pub url: String,
    postgres: Option<Postgres>,
    _folder: Option<Folder>,
}

impl Alone {
    /// On a cluster of `PostgreSQL`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn postgres(program: &Path) -> anyhow::Result<Self> {
        let postgres = Postgres::start().await?;
        let url = postgres.server().database().await.url;
        Ok(Self {
            server: Server::start(program, &url).await?,
            url,
            postgres: Some(postgres),
            _folder: None,
        })
    }

    /// On a file of `SQLite`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn sqlite(program: &Path) -> anyhow::Result<Self> {
        let folder = Folder::new();
        let url = format!("sqlite:{}", folder.join("postroom.db").display());
        Ok(Self {
            server: Server::start(program, &url).await?,
            url,
            postgres: None,
            _folder: Some(folder),
        })
    }

    /// What reads its costs.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn meter(&self) -> anyhow::Result<Meter> {
        let database = match &self.postgres {
            Some(postgres) => Some(Database {
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
