//! What a running service leaves behind: its key and its database.

use std::path::PathBuf;

use super::program::postroom;
use super::server::{Server, Start};
use crate::command::run;
use crate::folder::Folder;
use crate::store::{Backend, Place, Site};

/// A data directory and a database that outlive the services that run on them.
pub struct Home {
    folder: Folder,
    place: Place,
}

impl Home {
    /// How a service starts here.
    #[must_use]
    pub fn start(&self) -> Start {
        Start {
            data_dir: self.folder.path().to_owned(),
            database_url: Some(self.place.url()),
            ..Start::default()
        }
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
    async fn open(backend: Backend) -> Self {
        Self {
            folder: Folder::new(),
            place: Place::new(backend).await,
        }
    }

    async fn end(self, passed: bool) {
        if passed {
            let _ = self.verify();
        }
        self.place.remove().await;
    }
}
