//! A running `postroom serve`, configured as it is by default, but for bounds that a run reaches.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use support::process::{AUDIT_KEY, DATABASE_VARIABLE};
use support::temp_folder::TempFolder;

use crate::site::keys;

const START_MAX: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(20);

/// Boxes that a run cannot fill, and quotas that it cannot reach: calls are counted all the same.
const POLICY: &str = "\
[policy]
max_box_messages = 1000000
max_unread_per_sender = 0
[quotas]
profile_calls_per_second = 1000000
profile_calls_burst = 1000000
profile_sends_per_second = 1000000
profile_sends_burst = 1000000
app_calls_per_second = 1000000
app_calls_burst = 1000000
";

/// A running service. It ends with this value.
#[derive(Debug)]
pub struct BenchServer {
    process: Child,
    program: PathBuf,
    database_url: String,
    folder: TempFolder,
    /// Address of `Messaging`.
    pub user: SocketAddr,
    /// Address of `Sys`.
    pub sys: SocketAddr,
}

impl BenchServer {
    /// Starts it on ports that are free, and waits until it is there.
    ///
    /// # Errors
    /// If it does not start; then with its log.
    pub async fn start(program: &Path, database_url: &str) -> anyhow::Result<Self> {
        let folder = TempFolder::new();
        let config = folder.join("postroom.toml");
        fs::write(&config, POLICY.to_owned() + &keys::publish(folder.path())?)?;
        let log = folder.join("log");
        let mut command = Command::new(program);
        command.args(["serve", "--log-format", "json"]);
        for flag in ["--user-address", "--sys-address", "--operations-address"] {
            command.args([flag, "127.0.0.1:0"]);
        }
        command.arg("--config").arg(config).env_clear();
        command.env(DATABASE_VARIABLE, database_url);
        command.env(AUDIT_KEY.0, AUDIT_KEY.1);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let process = command
            .spawn()
            .with_context(|| program.display().to_string())?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self {
            process,
            program: program.to_owned(),
            database_url: database_url.to_owned(),
            folder,
            user: unknown,
            sys: unknown,
        };
        [server.user, server.sys] = server.addresses(&log).await?;
        Ok(server)
    }

    /// Starts a second server on the same database.
    ///
    /// # Errors
    /// If it does not start; then with its log.
    pub async fn another(&self) -> anyhow::Result<Self> {
        Self::start(&self.program, &self.database_url).await
    }

    /// Process id.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Runs `postroom verify` and returns its last line.
    ///
    /// # Errors
    /// If something drifts.
    pub async fn verify(&self) -> anyhow::Result<String> {
        let mut command = tokio::process::Command::new(&self.program);
        command.arg("verify");
        let config = self.folder.join("postroom.toml");
        let output = command
            .arg("--config")
            .arg(config)
            .env_clear()
            .env(DATABASE_VARIABLE, &self.database_url)
            .kill_on_drop(true)
            .output();
        let output = output.await.context("postroom verify cannot be started")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().last().unwrap_or_default();
        ensure!(
            output.status.success() && last.starts_with("drift 0 "),
            "postroom verify: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(last.to_owned())
    }

    async fn addresses(&mut self, log: &Path) -> anyhow::Result<[SocketAddr; 2]> {
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(log)?;
            let address = |name| text.lines().find_map(|line| listening(line, name));
            if let (Some(user), Some(sys)) = (address("user"), address("sys")) {
                return Ok([user, sys]);
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("postroom ended ({status}): {text}");
            }
            ensure!(
                begun.elapsed() < START_MAX,
                "postroom does not start: {text}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Address of a listener, if the line of the log has it.
fn listening(line: &str, name: &str) -> Option<SocketAddr> {
    let event: Value = serde_json::from_str(line).ok()?;
    let is_it = event["message"] == "listener.open" && event["listener.name"] == name;
    is_it
        .then(|| event["listener.address"].as_str()?.parse().ok())
        .flatten()
}
