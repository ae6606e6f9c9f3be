//! A real `PostgreSQL`.
//!
//! In this order: the server that `POSTROOM_TEST_POSTGRES_URL` names; one that is installed;
//! one that is installed now. A server of our own serves all tests of a run, on loopback and
//! a port of its own, and ends with the run, however that ends. Each test has a database of
//! its own on it.

mod account;
mod binaries;
mod cluster;
mod database;
mod run;
mod watchdog;

use std::sync::OnceLock;

pub use cluster::Cluster;
pub use database::{PostgresDatabase, PostgresServer};

/// Names a server to use instead of one of our own: a url whose user may create databases.
pub const URL_VARIABLE: &str = "POSTROOM_TEST_POSTGRES_URL";

/// The server that all tests of this run share.
///
/// # Panics
/// If there is none and none can be had: tests that need it fail, and say what is missing.
pub fn shared() -> &'static PostgresServer {
    static SHARED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let given = std::env::var(URL_VARIABLE).ok();
        let server = given.map_or_else(run::server, |url| PostgresServer::parse(&url));
        server.map_err(|error| format!("{error:#}"))
    });
    match shared {
        Ok(server) => server,
        Err(error) => panic!(
            "PostgreSQL is needed and cannot be had: {error}\n\
             Install it (Debian: apt install postgresql), or set {URL_VARIABLE} to the url of \
             a server whose user may create databases."
        ),
    }
}
