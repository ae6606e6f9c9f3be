//! Folders that go away.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A new folder that only its owner may enter, removed when this is dropped.
#[derive(Debug)]
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// Makes one in another.
    #[must_use]
    pub fn within(parent: &Path) -> Self {
        let path = parent.join(format!("postroom-{}", Uuid::new_v4().simple()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    /// Path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Keeps the folder, and returns its path.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        let path = self.0.clone();
        std::mem::forget(self);
        path
    }
}

impl Default for TempFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A folder left behind does no harm; a panic here would end the program.
        let _ = fs::remove_dir_all(&self.0);
    }
}
