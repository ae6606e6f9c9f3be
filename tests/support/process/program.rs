//! The program, built from the current sources.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::command::run;
use crate::workspace;

/// Directories and files of the workspace from which the program is built.
const SOURCES: [&str; 5] = ["Cargo.lock", "Cargo.toml", "proto", "services", "shared"];

/// Extensions of the files in [`SOURCES`] that a build reads.
const EXTENSIONS: [&str; 5] = ["lock", "proto", "rs", "sql", "toml"];

/// The program, built from the sources as they are.
///
/// # Panics
/// If it cannot be built.
pub fn path() -> &'static Path {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PATH.get_or_init(|| located().map_err(|error| format!("{error:#}"))) {
        Ok(path) => path,
        Err(error) => panic!("postroom cannot be built: {error}"),
    }
}

/// A call of the program, with none of our variables.
#[must_use]
pub fn postroom<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(path());
    command.env_clear().args(arguments);
    command
}

/// Path of the program in the directory of the profile. `cargo test --workspace` builds it there,
/// for the tests of its own package, before any test runs. A run of fewer packages does not: a
/// missing or outdated program is built here.
fn located() -> anyhow::Result<PathBuf> {
    let tests = std::env::current_exe()?;
    // <target>/<profile>/deps/tests-1234, and beside deps the program.
    let profile = tests
        .parent()
        .and_then(Path::parent)
        .context("a folder of the profile")?;
    let program = profile.join("postroom");
    if !is_fresh(&program) {
        build(profile)?;
    }
    Ok(program)
}

/// True if the program is at least as new as all files that it is built from.
fn is_fresh(program: &Path) -> bool {
    let root = workspace::root();
    let mut sources = SOURCES.iter().map(|name| root.join(name));
    modified(program).is_ok_and(|built| sources.all(|source| is_older(&source, built)))
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// True if a source file, or each one in a directory, was last changed by a time.
fn is_older(path: &Path, built: SystemTime) -> bool {
    if path.is_dir() {
        let is_entry_older =
            |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|it| is_older(&it.path(), built));
        return fs::read_dir(path).is_ok_and(|mut entries| entries.all(is_entry_older));
    }
    let extension = path.extension().and_then(OsStr::to_str);
    let is_source = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
    !is_source || modified(path).is_ok_and(|changed| changed <= built)
}

/// Builds what `cargo test --workspace --test tests` builds: with the features of a full run, so
/// that neither compiles anything again for the other.
fn build(profile: &Path) -> anyhow::Result<()> {
    let target = profile.parent().context("a target folder")?;
    let name = match profile.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(name) => name,
        None => bail!("{} names no profile", profile.display()),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--workspace", "--test", "tests"]);
    cargo.args(["--profile", name, "--target-dir"]);
    run(cargo.arg(target).current_dir(workspace::root()))?;
    Ok(())
}
