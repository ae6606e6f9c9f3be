//! The server that all tests of a run share.
//!
//! With `cargo test` a run is this process. With cargo-nextest it is many, one for each test:
//! the first starts the server, the others find it, and it ends with nextest itself.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::parent_id;
use std::path::Path;
use std::sync::OnceLock;

use super::account::Account;
use super::cluster::{Cluster, Durability};
use super::database::PostgresServer;
use super::watchdog::Until;

/// Set by cargo-nextest, to the same in all processes of a run.
const NEXTEST_RUN: &str = "NEXTEST_RUN_ID";

/// The server of this run.
pub fn server() -> anyhow::Result<PostgresServer> {
    match std::env::var(NEXTEST_RUN) {
        Ok(run) => of_many_processes(&std::env::temp_dir().join(format!("postroom-run-{run}"))),
        Err(_) => of_this_process(),
    }
}

fn of_this_process() -> anyhow::Result<PostgresServer> {
    // Never dropped: it ends with the process.
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = Cluster::start(
        Durability::Processes,
        Until::Dropped,
        Vec::new(),
        Vec::new(),
    )?;
    Ok(CLUSTER.get_or_init(|| cluster).server())
}

fn of_many_processes(folder: &Path) -> anyhow::Result<PostgresServer> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    Account::choose()?.give(folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let written = folder.join("url");
    if let Ok(url) = fs::read_to_string(&written) {
        return PostgresServer::parse(&url);
    }
    let until = Until::ProcessEnds(parent_id());
    let remove = vec![folder.to_owned()];
    let server = Cluster::start(Durability::Processes, until, remove, Vec::new())?.server();
    fs::write(written, server.url())?;
    Ok(server)
}
