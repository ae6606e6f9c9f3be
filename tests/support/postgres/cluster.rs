//! A server of our own.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use uuid::Uuid;

use super::account::Account;
use super::binaries::Binaries;
use super::database::PostgresServer;
use super::watchdog::{Until, Watchdog};
use crate::command::run;
use crate::coverage;
use crate::temp_folder::TempFolder;

/// Attempts to start on a free port, which another process may take first.
const ATTEMPTS: u32 = 5;

/// Seconds that a start or stop may take. Only a server that hangs reaches it.
const PATIENCE_SECS: &str = "600";

/// Linguistic order, so that what forgets to ask for bytewise order is found out. Not every
/// build has it.
const ICU: [&str; 3] = [
    "--locale-provider=icu",
    "--icu-locale=en",
    "--locale=C.UTF-8",
];
const PLAIN: [&str; 1] = ["--locale=C.UTF-8"];

/// Settings of every server.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
max_connections = 1000
shared_buffers = 64MB
log_min_messages = error
";

/// Durability of a server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Acknowledged commits survive the loss of the machine: the default of `PostgreSQL`.
    Machine,
    /// Acknowledged commits survive the loss of the server's processes.
    Processes,
}

impl Durability {
    const fn settings(self) -> &'static str {
        match self {
            Self::Machine => "",
            Self::Processes => "fsync = off\nmax_wal_size = 128MB\n",
        }
    }

    fn folder(self) -> TempFolder {
        match self {
            Self::Machine => TempFolder::new(),
            Self::Processes => TempFolder::in_memory(),
        }
    }
}

/// A server of our own, which ends with this value, and with this process at the latest.
#[derive(Debug)]
pub struct Cluster {
    programs: Binaries,
    account: Account,
    folder: PathBuf,
    port: u16,
    password: String,
    /// Variables of the server's processes.
    variables: Vec<(&'static str, String)>,
    _watchdog: Watchdog,
}

impl Cluster {
    /// Starts one for a single test, which may stop it, break it, and start it again.
    ///
    /// # Panics
    /// If there is no `PostgreSQL` and none can be had.
    #[must_use]
    pub fn private() -> Self {
        Self::private_with(Vec::new())
    }

    /// Starts one for a single test, with variables of its processes.
    ///
    /// # Panics
    /// As [`private`](Self::private).
    #[must_use]
    pub fn private_with(variables: Vec<(&'static str, String)>) -> Self {
        Self::start(Durability::Machine, Until::Dropped, Vec::new(), variables)
            .unwrap_or_else(|error| panic!("PostgreSQL is needed and cannot be had: {error:#}"))
    }

    /// Starts one. When it ends, it takes its own files with it, and `remove`.
    ///
    /// # Errors
    /// If there is no `PostgreSQL` and none can be had, or it does not start.
    pub(super) fn start(
        durability: Durability,
        until: Until,
        mut remove: Vec<PathBuf>,
        variables: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Self> {
        let programs = Binaries::locate()?;
        let account = Account::choose()?;
        let folder = durability.folder().keep();
        account.give(&folder)?;
        remove.push(folder.clone());
        let (pg_ctl, data) = (programs.path("pg_ctl"), folder.join("data"));
        let shell = account.command("sh");
        let mut cluster = Self {
            programs,
            account,
            folder,
            port: 0,
            password: Uuid::new_v4().simple().to_string(),
            variables,
            _watchdog: Watchdog::start(shell, until, &pg_ctl, &data, &remove)?,
        };
        cluster.create(durability)?;
        cluster.listen()?;
        coverage::covers(&format!(
            "{} from {}",
            cluster.programs.version()?,
            cluster.programs.path("").display()
        ));
        Ok(cluster)
    }

    /// The server, to connect to.
    #[must_use]
    pub fn server(&self) -> PostgresServer {
        let url = format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        );
        PostgresServer::parse(&url).expect("a url")
    }

    /// The server's processes.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let file = self.folder.join("data/postmaster.pid");
        let told = fs::read_to_string(file).expect("a server that runs");
        let first = told.lines().next().unwrap_or_default();
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
        let children = children.expect("a process with children");
        let ids = children.split_whitespace().chain([first]);
        ids.map(|id| id.parse().expect("a number")).collect()
    }

    /// Stops it immediately, as a power loss does.
    pub fn crash(&self) {
        let stopped = run(self.pg_ctl("stop").args(["-m", "immediate"]));
        stopped.expect("a server that stops");
    }

    /// Starts it again, where it was.
    pub fn restart(&self) {
        self.start_postgres().expect("a server that starts");
    }

    /// Copies all of its data, for which it is stopped.
    ///
    /// # Panics
    /// If that does not work, or there is a copy already.
    pub fn back_up(&self) {
        self.while_stopped(|| copy(&self.folder.join("data"), &self.folder.join("backup")));
    }

    /// Puts the copy of all of its data in their place.
    ///
    /// # Panics
    /// If that does not work.
    pub fn put_back(&self) {
        self.while_stopped(|| {
            let data = self.folder.join("data");
            fs::remove_dir_all(&data)?;
            copy(&self.folder.join("backup"), &data)
        });
    }

    /// Recovers from the copy of all of its data, as one does to a point in time.
    ///
    /// # Panics
    /// If that does not work.
    pub fn recover(&self) {
        self.while_stopped(|| {
            let data = self.folder.join("data");
            fs::remove_dir_all(&data)?;
            copy(&self.folder.join("backup"), &data)?;
            let signal = data.join("recovery.signal");
            fs::write(&signal, "")?;
            self.account.give(&signal)?;
            // Nothing was archived: all there is is in the copy.
            let mut config = File::options()
                .append(true)
                .open(data.join("postgresql.conf"))?;
            Ok(config.write_all(b"restore_command = 'false'\n")?)
        });
    }

    fn while_stopped(&self, work: impl FnOnce() -> anyhow::Result<()>) {
        let stopped = run(self.pg_ctl("stop").args(["-m", "fast"]));
        let worked = stopped.and_then(|_| work());
        worked.expect("a copy of a server that is stopped");
        self.restart();
    }

    fn create(&self, durability: Durability) -> anyhow::Result<()> {
        let password = self.folder.join("password");
        fs::write(&password, &self.password)?;
        self.account.give(&password)?;
        let init = |locale: &[&str]| {
            let mut initdb = self.command("initdb");
            initdb.args([
                "-U",
                "postgres",
                // Checking a SCRAM password takes longer than all else of a connection.
                "--auth=md5",
                "--encoding=UTF8",
                "--no-sync",
            ]);
            run(initdb.arg("--pwfile").arg(&password).args(locale))
        };
        init(&ICU).or_else(|_| init(&PLAIN))?;
        let config = self.folder.join("data/postgresql.conf");
        let defaults = fs::read_to_string(&config)?;
        let sockets = self.folder.display();
        let durability = durability.settings();
        let ours = format!("{SETTINGS}{durability}unix_socket_directories = '{sockets}'\n");
        Ok(fs::write(config, defaults + &ours)?)
    }

    fn listen(&mut self) -> anyhow::Result<()> {
        let mut attempt = 1;
        loop {
            self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            match self.start_postgres() {
                Ok(()) => return Ok(()),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    fn start_postgres(&self) -> anyhow::Result<()> {
        let log = self.folder.join("log");
        let options = format!("-p {}", self.port);
        run(self
            .pg_ctl("start")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(["-o", &options])
            .arg("-l")
            .arg(&log))
        .with_context(|| fs::read_to_string(log).unwrap_or_default())?;
        Ok(())
    }

    fn pg_ctl(&self, what: &str) -> Command {
        let mut pg_ctl = self.command("pg_ctl");
        pg_ctl.args([what, "-s", "-w", "-t", PATIENCE_SECS]);
        pg_ctl
    }

    /// A program of the server, about its data.
    fn command(&self, program: &str) -> Command {
        let mut command = self.account.command(self.programs.path(program));
        command
            .current_dir(&self.folder)
            .arg("-D")
            .arg(self.folder.join("data"));
        command
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    run(Command::new("cp").arg("-a").arg(from).arg(to)).map(drop)
}
