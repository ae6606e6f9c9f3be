//! Account of a server. `PostgreSQL` refuses to run as root.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::command::is_root;

/// Accounts that may own a server, as far as they are there.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Owner of a server's processes and files.
#[derive(Debug, Clone, Copy)]
pub struct Account(Option<(u32, u32)>);

impl Account {
    /// Ours, unless we are root: then one without privileges.
    ///
    /// # Errors
    /// If we are root and there is no other account.
    pub fn choose() -> anyhow::Result<Self> {
        if !is_root() {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let mut found = UNPRIVILEGED.iter().filter_map(|name| ids(&accounts, name));
        found
            .next()
            .map(|ids| Self(Some(ids)))
            .context("no account without privileges")
    }

    /// A command that runs as this account.
    pub fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this account.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn give(self, path: &Path) -> anyhow::Result<()> {
        match self.0 {
            Some((uid, gid)) => Ok(chown(path, Some(uid), Some(gid))?),
            None => Ok(()),
        }
    }
}

fn ids(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let mut lines = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let account = lines.find(|fields| fields.first() == Some(&name))?;
    Some((account.get(2)?.parse().ok()?, account.get(3)?.parse().ok()?))
}
