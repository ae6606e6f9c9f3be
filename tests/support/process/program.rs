//! The program, built from the current sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, bail};

use crate::command::run;
use crate::workspace;

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

/// Cargo builds the program for its own tests before any test of the workspace runs. When
/// only these tests were built, it is missing or old, and is built now.
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

/// True if the program is newer than all of its source files, which rustc lists beside it.
fn is_fresh(program: &Path) -> bool {
    let newer_than_sources = || {
        let built = fs::metadata(program).ok()?.modified().ok()?;
        let written = fs::read_to_string(program.with_extension("d")).ok()?;
        let (_, sources) = written.split_once(": ")?;
        let is_older = |path| {
            let changed = fs::metadata(path).and_then(|file| file.modified());
            changed.is_ok_and(|changed| changed <= built)
        };
        Some(sources.split_whitespace().all(is_older))
    };
    newer_than_sources().unwrap_or(false)
}

fn build(profile: &Path) -> anyhow::Result<()> {
    let target = profile.parent().context("a target folder")?;
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => bail!("{} names no profile", profile.display()),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "-p",
        "postroom",
        "--bin",
        "postroom",
        "--profile",
        name,
    ]);
    run(cargo
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace::root()))?;
    Ok(())
}
