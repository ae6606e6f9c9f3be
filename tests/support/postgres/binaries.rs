//! The programs of `PostgreSQL`: found, or installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::command::{find, is_root, run};
use crate::installer::{PythonPackage, apt};

/// Folder of the versions that Debian has installed.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Keeps Debian from starting a server of its own.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

const WHEEL: PythonPackage = PythonPackage {
    requirement: "pgserver==0.1.4",
    is_wheel: true,
    programs: &[WHEEL_PROGRAMS],
};
const WHEEL_PROGRAMS: &str = "pgserver/pginstall/bin";

/// The folder with `initdb`, `pg_ctl` and `postgres`.
#[derive(Debug, Clone)]
pub struct Binaries(PathBuf);

impl Binaries {
    /// Finds them, or installs them.
    ///
    /// # Errors
    /// If neither is possible.
    pub fn locate() -> anyhow::Result<Self> {
        if let Some(found) = in_path().or_else(in_debian) {
            return Ok(Self(found));
        }
        if is_root() {
            install()?;
            let found = in_debian();
            return found
                .map(Self)
                .with_context(|| format!("nothing in {DEBIAN}"));
        }
        Ok(Self(WHEEL.unpacked()?.join(WHEEL_PROGRAMS)))
    }

    /// Path of a program.
    #[must_use]
    pub fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }

    /// Version, as `postgres --version` prints it.
    ///
    /// # Errors
    /// If they do not run.
    pub fn version(&self) -> anyhow::Result<String> {
        let said = run(std::process::Command::new(self.path("postgres")).arg("--version"))?;
        Ok(said.trim().replace("postgres (PostgreSQL)", "PostgreSQL"))
    }
}

/// Beside the `pg_ctl` that is called by default.
fn in_path() -> Option<PathBuf> {
    let found = find("pg_ctl")?.canonicalize().ok()?;
    found
        .parent()
        .filter(|folder| is_complete(folder))
        .map(Path::to_owned)
}

/// The newest of those that Debian has installed.
fn in_debian() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
    let folders = versions.map(|version| version.path().join("bin"));
    folders
        .filter(|folder| is_complete(folder))
        .max_by_key(|folder| number(folder))
}

fn number(folder: &Path) -> Option<u32> {
    folder.parent()?.file_name()?.to_str()?.parse().ok()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn install() -> anyhow::Result<()> {
    let config = Path::new(CREATE_CLUSTER);
    if !config.exists() {
        fs::create_dir_all(config.parent().context("a path with a folder")?)?;
        fs::write(config, "create_main_cluster = false\n")?;
    }
    apt(&["postgresql"])
}
