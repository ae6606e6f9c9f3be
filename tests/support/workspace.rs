//! Paths in the workspace.

use std::path::{Path, PathBuf};

/// The root of the workspace: the one that cargo runs, or else the one that was compiled.
///
/// # Panics
/// If the tests are not a folder of it.
#[must_use]
pub fn root() -> PathBuf {
    let running = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let tests = running.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let root = tests.parent().map(Path::to_owned);
    root.expect("the tests are a folder of the workspace")
}

/// Cache of fetched programs, ignored by git.
#[must_use]
pub fn cache() -> PathBuf {
    root().join(".cache")
}
