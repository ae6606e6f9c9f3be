//! Ends a server when its users are gone, however they went.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use std::os::unix::process::CommandExt as _;

/// Waits for the end of its standard input, or of another process, then stops the server
/// and removes what it is told to.
const SCRIPT: &str = r#"
pg_ctl=$1 data=$2 process=$3
shift 3
if [ -n "$process" ]; then
    while [ -d "/proc/$process" ]; do sleep 1; done
else
    read -r _
fi
"$pg_ctl" stop -s -w -m immediate -D "$data"
rm -rf "$@"
"#;

/// Event that ends a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The end of the [`Watchdog`], with this process at the latest.
    Dropped,
    /// The end of another process, whatever becomes of this one.
    ProcessEnds(u32),
}

/// A small process beside this one that survives it just long enough to clean up.
#[derive(Debug)]
pub struct Watchdog {
    process: Child,
    until: Until,
}

impl Watchdog {
    /// Starts it: `shell` is a command for `sh` under the server's account.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn start(
        mut shell: Command,
        until: Until,
        pg_ctl: &Path,
        data: &Path,
        remove: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let process = match until {
            Until::Dropped => String::new(),
            Until::ProcessEnds(id) => id.to_string(),
        };
        let process = shell
            .args(["-c", SCRIPT, "watchdog"])
            .arg(pg_ctl)
            .arg(data)
            .arg(process)
            .args(remove)
            // Nothing of ours is held open, and Ctrl-C in a terminal does not reach it.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir("/")
            .spawn()
            .context("sh cannot be started")?;
        Ok(Self { process, until })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if self.until == Until::Dropped {
            drop(self.process.stdin.take());
            let _ = self.process.wait();
        }
    }
}
