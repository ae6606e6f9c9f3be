//! A running `postroom serve`.

use std::fmt::Display;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use proto::sys::v1::sys_client::SysClient;
use proto::v1::messaging_client::MessagingClient;
use serde_json::Value;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use super::dev_key;
use super::lines::OutputLines;
use super::program::{path, postroom};
use crate::command::{run, signal};
use crate::service::Bearer;

/// Script that starts the program so that it ends with the tests, however they end. By its umask,
/// files are open to everybody if the program does not protect them.
const LAUNCH: &str = r#"umask 0; exec setpriv --pdeathsig KILL "$0" "$@""#;

/// A few users do in a test what many do in a second.
const NO_QUOTAS: [(&str, &str); 4] = [
    ("POSTROOM_POLICY__MAX_UNREAD_PER_SENDER", "0"),
    ("POSTROOM_QUOTAS__APP_CALLS_PER_SECOND", "0"),
    ("POSTROOM_QUOTAS__PROFILE_CALLS_PER_SECOND", "0"),
    ("POSTROOM_QUOTAS__PROFILE_SENDS_PER_SECOND", "0"),
];

/// Variable with the key of the audit log, for services that do not run with `--dev`.
pub const AUDIT_KEY: (&str, &str) = (
    "POSTROOM_AUDIT__KEY",
    "0707070707070707070707070707070707070707070707070707070707070707",
);

/// Variable with the URL of the database.
pub const DATABASE_VARIABLE: &str = "POSTROOM_DATABASE__URL";

/// A client of a running `Messaging`.
pub type UserClient = MessagingClient<InterceptedService<Channel, Bearer>>;
/// A client of a running `Sys`.
pub type SystemClient = SysClient<InterceptedService<Channel, Bearer>>;

/// Start options of a service.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// Data directory, with the key and the embedded database.
    pub data_dir: PathBuf,
    /// Url of the database. Without, the service runs with `--dev` on that of its data directory.
    pub database_url: Option<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// Variables, as the configuration has them. Without, profiles call as often as they like.
    pub variables: Vec<(&'static str, String)>,
}

/// A running service, killed when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    process: Child,
    log: OutputLines,
    /// Address of `Messaging`.
    pub user: SocketAddr,
    /// Address of `Sys`.
    pub sys: SocketAddr,
    /// Address of the probes.
    pub operations: SocketAddr,
    /// The tokens of the banner.
    pub tokens: DevTokens,
}

/// The tokens that development begins with.
#[derive(Debug)]
pub struct DevTokens {
    /// Token of Alice.
    pub alice: String,
    /// Token of Bob.
    pub bob: String,
    /// Token of the app.
    pub sys: String,
}

impl DevTokens {
    /// Creates tokens with the key of a data directory.
    fn create(data_dir: &Path) -> Self {
        let folder = data_dir.display().to_string();
        let token = |arguments: &[&str]| {
            let common = ["token", "--data-dir", &folder];
            let token = run(&mut postroom([&common, arguments].concat()));
            token.expect("a token").trim().to_owned()
        };
        Self {
            alice: token(&["--sub", "alice", "--name", "Alice"]),
            bob: token(&["--sub", "bob", "--name", "Bob"]),
            sys: token(&["--kind", "sys"]),
        }
    }
}

impl ServerProcess {
    /// Starts the service on ports that are free, and waits until it is there.
    ///
    /// # Panics
    /// If it does not start; then with its log.
    #[must_use]
    pub fn start(start: &StartOptions) -> Self {
        if start.database_url.is_some() {
            dev_key::create(&start.data_dir);
        }
        let (process, log, _) = spawn(&mut Self::command(start));
        Self {
            process,
            user: address(&log, "user"),
            sys: address(&log, "sys"),
            operations: address(&log, "operations"),
            tokens: DevTokens::create(&start.data_dir),
            log,
        }
    }

    /// Command that starts the service on ports that are free.
    #[must_use]
    pub fn command(start: &StartOptions) -> Command {
        let mut command = command(&start.arguments);
        match &start.database_url {
            Some(url) => {
                command.env(DATABASE_VARIABLE, url);
                command.env(AUDIT_KEY.0, AUDIT_KEY.1);
                command.envs(dev_key::variables(&start.data_dir));
            }
            None => {
                command.args(["--dev", "--data-dir"]).arg(&start.data_dir);
            }
        }
        command
            .args(&start.arguments)
            .envs(NO_QUOTAS)
            .envs(start.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the service as it is in production, from a file, on ports that are free.
    ///
    /// # Panics
    /// If it does not start; then with its log.
    #[must_use]
    pub fn start_from(config: &Path, tokens: DevTokens) -> Self {
        let mut command = command(&[]);
        command.env(AUDIT_KEY.0, AUDIT_KEY.1);
        // Proxies lead to other machines, and to none of these.
        command.envs(["HTTP_PROXY", "http_proxy"].map(|name| (name, "http://127.0.0.1:9")));
        let (process, log, _) = spawn(command.arg("--config").arg(config));
        Self {
            process,
            user: address(&log, "user"),
            sys: address(&log, "sys"),
            operations: address(&log, "operations"),
            tokens,
            log,
        }
    }

    /// A client of `Messaging`, with a connection of its own.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn messaging(&self, token: &str) -> UserClient {
        MessagingClient::with_interceptor(channel(self.user), Bearer::new(token))
    }

    /// A client of `Messaging` by way of another address, with a connection of its own that
    /// takes so many bytes of a stream that are not read.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn messaging_through(address: SocketAddr, token: &str, window_bytes: u32) -> UserClient {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let endpoint = endpoint.initial_stream_window_size(window_bytes);
        MessagingClient::with_interceptor(endpoint.connect_lazy(), Bearer::new(token))
    }

    /// A client of `Sys` that is allowed everything, with a connection of its own.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn system(&self) -> SystemClient {
        self.system_with(&self.tokens.sys)
    }

    /// A client of `Sys` with a token, and with a connection of its own.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn system_with(&self, token: &str) -> SystemClient {
        SysClient::with_interceptor(channel(self.sys), Bearer::new(token))
    }

    /// Resident memory of the process, in bytes.
    ///
    /// # Panics
    /// If it has ended.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: Option<u64> = kib.and_then(|kib| kib.parse().ok());
        kib.expect("a size") * 1024
    }

    /// Log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until it has logged something.
    ///
    /// # Panics
    /// If it ends without, or does not within ten minutes.
    pub fn wait_for_log(&self, message: &str) {
        let found = self
            .log
            .wait_for(|line| line.contains(message).then_some(()));
        assert!(found.is_some(), "{message} is not in {}", self.log());
    }

    /// Ends it as a crash would.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn kill(mut self) {
        self.crash();
    }

    /// Ends it as a crash would, in its place.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn crash(&mut self) {
        assert_eq!(
            self.process.try_wait().expect("a state"),
            None,
            "{}",
            self.log()
        );
        self.process.kill().expect("a process that can be killed");
        self.process.wait().expect("an end");
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns a function that kills the process with SIGKILL.
    pub fn killer(&self) -> impl FnOnce() + use<> {
        let id = self.process.id().to_string();
        move || signal("KILL", &id)
    }

    /// Stops it, with all that it is doing, and answers what lets it go on.
    pub fn pause(&self) -> impl FnOnce() + use<> {
        let id = self.process.id().to_string();
        signal("STOP", &id);
        move || signal("CONT", &id)
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal, such as `HUP`.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn signal(&self, name: &str) {
        signal(name, &self.process.id().to_string());
    }

    /// Leaves the log unread from now on, so that its pipe fills.
    pub fn leave_log_unread(&self) {
        self.log.stop();
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it is not our child any more.
    #[must_use]
    pub fn wait(mut self) -> ExitStatus {
        self.process.wait().expect("an end")
    }

    /// Waits for its end, while its clients continue.
    ///
    /// # Panics
    /// If it is not our child any more.
    pub async fn ended(self) -> ExitStatus {
        let ended = tokio::task::spawn_blocking(|| self.wait());
        ended.await.expect("an end")
    }

    /// Limits the size of its files, or lifts the limit.
    ///
    /// # Panics
    /// If `prlimit` of util-linux is missing.
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let mut prlimit = Command::new("prlimit");
        prlimit.args([
            "--pid",
            &self.process.id().to_string(),
            &format!("--fsize={soft}:"),
        ]);
        run(&mut prlimit).expect("a limit");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Command that every start has in common. Addresses may be among the arguments.
fn command(arguments: &[String]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", LAUNCH])
        .arg(path())
        .args(["serve", "--log-format", "json"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for flag in ["--user-address", "--sys-address", "--operations-address"] {
        if !arguments.iter().any(|argument| argument == flag) {
            command.args([flag, "127.0.0.1:0"]);
        }
    }
    command
}

/// Spawns the process; returns it with its log and its output.
fn spawn(command: &mut Command) -> (Child, OutputLines, OutputLines) {
    let mut process = command.spawn().expect("sh is there");
    let log = OutputLines::of(process.stderr.take().expect("a stream of errors"));
    let said = OutputLines::of(process.stdout.take().expect("a stream of output"));
    (process, log, said)
}

/// Waits for a listener and returns its address.
fn address(log: &OutputLines, name: &str) -> SocketAddr {
    let address = log.wait_for(|line| listening(line, name));
    address.unwrap_or_else(|| panic!("it did not start: {}", log.text()))
}

/// Address of a listener, if the line of the log has it.
fn listening(line: &str, name: &str) -> Option<SocketAddr> {
    let event: Value = serde_json::from_str(line).ok()?;
    let is_it = event["message"] == "listener.open" && event["listener.name"] == name;
    is_it
        .then(|| event["listener.address"].as_str()?.parse().ok())
        .flatten()
}

fn channel(address: impl Display) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    endpoint.expect("an address").connect_lazy()
}
