//! A deployment: the data directory and database of services that come and go.

use std::path::PathBuf;

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use super::program::postroom;
use super::server::{DATABASE_VARIABLE, ServerProcess, StartOptions};
use crate::command::run;
use crate::store::{Setup, TestDatabase, TestEnvironment};
use crate::temp_folder::TempFolder;

/// A data directory and a database that outlive the services that run on them.
pub struct Deployment {
    folder: TempFolder,
    database: TestDatabase,
    setup: Setup,
}

impl Deployment {
    /// A deployment over an existing database.
    #[must_use]
    pub fn at(setup: Setup, database: TestDatabase) -> Self {
        Self {
            folder: TempFolder::new(),
            database,
            setup,
        }
    }

    /// Start options of a service of this deployment.
    #[must_use]
    pub fn start(&self) -> StartOptions {
        StartOptions {
            data_dir: self.folder.path().to_owned(),
            database_url: Some(self.database.url()),
            variables: self.variables(),
            ..StartOptions::default()
        }
    }

    /// Environment variables: of lanes that are not the default, and of quotas that no app reaches, so
    /// that the usage of each is counted.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let lanes = self.setup.lanes;
        let quotas = [
            "POSTROOM_QUOTAS__APP_KEPT_MIB",
            "POSTROOM_QUOTAS__APP_MAILBOXES",
        ];
        let mut variables = quotas.map(|quota| (quota, "1000000".to_owned())).to_vec();
        if self.setup.is_usual() {
            return variables;
        }
        variables.extend([
            (
                "POSTROOM_DATABASE__WRITE_CONNECTIONS",
                self.setup.write_connections().to_string(),
            ),
            ("POSTROOM_LANES__COUNT", lanes.count.to_string()),
            (
                "POSTROOM_LANES__BATCH_OPERATIONS",
                lanes.batch_operations_max.to_string(),
            ),
        ]);
        variables
    }

    /// Creates a token of a user of an app.
    ///
    /// # Panics
    /// If there is no key, because no service has run here.
    #[must_use]
    pub fn token(&self, app: &str, profile: &str) -> String {
        let folder = self.folder.path().display().to_string();
        let flags = ["--app", app, "--sub", profile, "--data-dir", &folder];
        let token = run(postroom(["token"]).args(flags));
        token.expect("a token").trim().to_owned()
    }

    /// A service that runs here.
    #[must_use]
    pub fn serve(&self) -> ServerProcess {
        ServerProcess::start(&self.start())
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Data directory, with the key.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Holds the write lock until the connection is dropped.
    ///
    /// # Panics
    /// If it is not `SQLite`, or somebody writes.
    pub async fn hold_writers(&self) -> SqliteConnection {
        let connection = SqliteConnection::connect(&self.database.url()).await;
        let mut connection = connection.expect("the file is there");
        let held = connection.execute("BEGIN IMMEDIATE").await;
        held.expect("nobody writes");
        connection
    }

    /// Runs `postroom verify` and returns its last line.
    ///
    /// # Panics
    /// If something drifts.
    #[must_use]
    pub fn verify(&self) -> String {
        let said = run(postroom(["verify"]).env(DATABASE_VARIABLE, self.database.url()));
        let said = said.expect("a recount without drift");
        let last = said.lines().last().unwrap_or_default().to_owned();
        assert!(last.starts_with("drift 0 "), "{said}");
        last
    }
}

impl TestEnvironment for Deployment {
    async fn open(setup: Setup) -> Self {
        Self::at(setup, TestDatabase::new(setup.backend).await)
    }

    async fn end(self, passed: bool) {
        if passed {
            let _ = self.verify();
        }
        self.database.remove().await;
    }
}
