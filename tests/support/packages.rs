//! Packages of other languages, installed into folders of the cache with what they depend on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::command::run;
use crate::installer::{need_pip, python};
use crate::workspace::cache;

/// Packages of the Python index.
pub struct PythonPackages {
    /// The name of their folder.
    pub name: &'static str,
    /// The names and exact versions, as pip takes them.
    pub requirements: &'static [&'static str],
}

impl PythonPackages {
    /// Returns the folder of the packages, for `PYTHONPATH`. Installs them if it is missing.
    ///
    /// # Errors
    /// If pip is missing, or fails.
    pub fn installed(&self) -> anyhow::Result<PathBuf> {
        installed(self.name, &self.requirements.join("\n"), |folder| {
            need_pip()?;
            let options = ["install", "-q", "--disable-pip-version-check", "--target"];
            let mut pip = python("pip");
            run(pip.args(options).arg(folder).args(self.requirements)).map(drop)
        })
    }
}

/// Packages of the npm registry.
pub struct NodePackages {
    /// The name of their folder.
    pub name: &'static str,
    /// The manifest with their exact versions.
    pub manifest: &'static str,
}

impl NodePackages {
    /// Returns the folder that has the packages in its `node_modules`. Installs them if it is
    /// missing.
    ///
    /// # Errors
    /// If npm fails.
    pub fn installed(&self, npm: &mut Command) -> anyhow::Result<PathBuf> {
        installed(self.name, self.manifest, |folder| {
            fs::write(folder.join("package.json"), self.manifest)?;
            let options = [
                "install",
                "--no-package-lock",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ];
            run(npm.args(options).current_dir(folder)).map(drop)
        })
    }
}

/// Returns a folder of the cache whose name says what is in it, made by `install` if it is
/// missing. Another process that needs the same waits.
fn installed(
    name: &str,
    contents: &str,
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let digest = blake3::hash(contents.as_bytes()).to_hex();
    let place = cache().join(format!("{name}-{}", &digest[..16]));
    fs::create_dir_all(cache())?;
    let lock = File::create(cache().join(format!("{name}.lock")))?;
    lock.lock()?;
    if !place.is_dir() {
        let partial = place.with_extension("partial");
        if partial.is_dir() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir(&partial)?;
        install(&partial).with_context(|| format!("{name} cannot be installed"))?;
        fs::rename(&partial, &place)?;
    }
    Ok(place)
}
