//! Folders that go away.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use uuid::Uuid;

use crate::command::run;

/// A file system in memory, if the machine has one.
const MEMORY: &str = "/dev/shm";

/// Free space, in bytes, that the tests need to use memory: ten times what a run was seen to use.
const MEMORY_NEEDED: u64 = 1 << 30;

/// Parent of folders in memory.
static MEMORY_OR_DISK: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new(MEMORY);
    if free_bytes(memory) >= MEMORY_NEEDED {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
});

/// A new folder that only its owner may enter, removed when this is dropped.
#[derive(Debug)]
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// Makes one in memory, for data that need not outlive the machine: files are created there
    /// twice as fast. It is on disk where memory is short.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::within(&MEMORY_OR_DISK)
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

/// Free space of a file system in bytes; 0 if there is none, or no `df` of coreutils.
fn free_bytes(folder: &Path) -> u64 {
    let mut df = Command::new("df");
    let printed = run(df.args(["--output=avail", "--block-size=1"]).arg(folder));
    let free = printed.ok().and_then(|table| {
        let row = table.lines().nth(1)?;
        row.trim().parse().ok()
    });
    free.unwrap_or(0)
}
