//! The program under test, built from the sources as this one was.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use support::workspace;
use tokio::process::Command;

/// Builds the program and returns its path.
///
/// # Errors
/// If it cannot be built.
pub async fn built() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().context("a folder of the profile")?;
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .context("a profile")?;
    if name == "debug" {
        eprintln!("bench: this is no release build; its figures mean nothing");
    }
    build(folder, if name == "debug" { "dev" } else { name }).await?;
    Ok(folder.join("postroom"))
}

async fn build(folder: &Path, profile: &str) -> anyhow::Result<()> {
    let target = folder.parent().context("a target folder")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "build",
            "-p",
            "postroom",
            "--bin",
            "postroom",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let built = cargo.status().await.context("cargo cannot be started")?;
    ensure!(built.success(), "postroom cannot be built");
    Ok(())
}
