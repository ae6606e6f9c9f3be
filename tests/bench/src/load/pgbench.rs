//! The load generator of `PostgreSQL`, for the baselines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use support::temp_folder::TempFolder;
use tokio::process::{Child, Command};

use crate::load::closed_loop::TimedOperation;
use crate::load::script::{Script, StoredMessage};

const SCRIPT: &str = "script.sql";
const LOG: &str = "transactions";

/// Arguments of pgbench.
#[derive(Debug, Clone)]
pub struct Baseline {
    pub program: PathBuf,
    pub url: String,
    pub profiles: u64,
    pub stored: StoredMessage,
}

/// A running pgbench. It ends with this value.
pub struct Pgbench {
    process: Child,
    folder: TempFolder,
}

impl Baseline {
    /// Starts it for some seconds.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&self, script: Script, clients: u32, secs: u64) -> anyhow::Result<Pgbench> {
        let folder = TempFolder::new();
        fs::write(folder.join(SCRIPT), script.text(self.stored.app_no))?;
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command
            .arg(format!("--client={clients}"))
            .arg(format!("--time={secs}"));
        command.args(["--log", &format!("--log-prefix={LOG}"), "--file", SCRIPT]);
        command.arg(format!("--define=profiles={}", self.profiles));
        for variable in self.stored.variables() {
            command.arg(format!("--define={variable}"));
        }
        command
            .arg(&self.url)
            .current_dir(folder.path())
            .kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = command.spawn().context("pgbench cannot be started")?;
        Ok(Pgbench { process, folder })
    }
}

impl Pgbench {
    /// Process id of pgbench.
    ///
    /// # Errors
    /// If it has ended.
    pub fn process(&self) -> anyhow::Result<u32> {
        self.process.id().context("pgbench has ended")
    }

    /// Waits for its end, and takes what it did.
    ///
    /// # Errors
    /// If it fails; then with what it said.
    pub async fn finish(self) -> anyhow::Result<Vec<TimedOperation>> {
        let output = self.process.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench: {said}");
        operations(self.folder.path())
    }
}

/// The transactions of all its threads, each of which has a log.
fn operations(folder: &Path) -> anyhow::Result<Vec<TimedOperation>> {
    let mut operations = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(LOG) {
            let text = fs::read_to_string(entry.path())?;
            operations.extend(text.lines().filter_map(operation));
        }
    }
    Ok(operations)
}

/// `client transaction latency_us script seconds microseconds`; where the latency is a word,
/// the transaction failed.
fn operation(line: &str) -> Option<TimedOperation> {
    let mut fields = line.split(' ').skip(2);
    let latency_us = fields.next()?.parse().ok()?;
    let seconds: u64 = fields.nth(1)?.parse().ok()?;
    let microseconds: u64 = fields.next()?.parse().ok()?;
    Some(TimedOperation {
        end_us: 1_000_000 * seconds + microseconds,
        latency_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_a_transaction_unless_it_failed() {
        let done = operation("3 17 2311 0 1700000000 250000").expect("a transaction");
        assert_eq!(
            (done.end_us, done.latency_us),
            (1_700_000_000_250_000, 2311)
        );
        assert!(operation("3 18 deadlock 0 1700000000 250000").is_none());
    }
}
