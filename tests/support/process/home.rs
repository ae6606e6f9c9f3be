//! What a running service leaves behind: its key and its database.

use std::path::PathBuf;

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use super::program::postroom;
use super::server::{Server, Start};
use crate::command::run;
use crate::folder::Folder;
use crate::store::{Place, Setup, Site};

/// A data directory and a database that outlive the services that run on them.
pub struct Home {
    folder: Folder,
    place: Place,
    setup: Setup,
}

impl Home {
    /// On data that is there already.
    #[must_use]
    pub fn at(setup: Setup, place: Place) -> Self {
        Self {
            folder: Folder::new(),
            place,
            setup,
        }
    }

    /// How a service starts here.
    #[must_use]
    pub fn start(&self) -> Start {
        Start {
            data_dir: self.folder.path().to_owned(),
            database_url: Some(self.place.url()),
            variables: self.variables(),
            ..Start::default()
        }
    }

    /// How writes are gathered, if not as they are by default.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let lanes = self.setup.lanes;
        if self.setup.is_usual() {
            return Vec::new();
        }
        vec![
            (
                "POSTROOM_DATABASE__WRITE_CONNECTIONS",
                self.setup.write_connections().to_string(),
            ),
            ("POSTROOM_LANES__COUNT", lanes.count.to_string()),
            (
                "POSTROOM_LANES__BATCH_OPERATIONS",
                lanes.batch_operations_max.to_string(),
            ),
        ]
    }

    /// A service that runs here.
    #[must_use]
    pub fn serve(&self) -> Server {
        Server::start(&self.start())
    }

    /// The database.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Where the key is.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Keeps everybody else from writing, until it is dropped.
    ///
    /// # Panics
    /// If it is not `SQLite`, or somebody writes.
    pub async fn hold_writers(&self) -> SqliteConnection {
        let connection = SqliteConnection::connect(&self.place.url()).await;
        let mut connection = connection.expect("the file is there");
        let held = connection.execute("BEGIN IMMEDIATE").await;
        held.expect("nobody writes");
        connection
    }

    /// Has the program recount all mailboxes, and answers its last line.
    ///
    /// # Panics
    /// If something drifts.
    #[must_use]
    pub fn verify(&self) -> String {
        let said = run(&mut postroom([
            "verify",
            "--database-url",
            &self.place.url(),
        ]));
        let said = said.expect("a recount without drift");
        let last = said.lines().last().unwrap_or_default().to_owned();
        assert!(last.starts_with("drift 0 "), "{said}");
        last
    }
}

impl Site for Home {
    async fn open(setup: Setup) -> Self {
        Self::at(setup, Place::new(setup.backend).await)
    }

    async fn end(self, passed: bool) {
        if passed {
            let _ = self.verify();
        }
        self.place.remove().await;
    }
}
