//! A cluster of `PostgreSQL` for a run alone.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use support::postgres::{Cluster, PostgresServer};

use crate::measure::cpu;

/// Settings for the service and its baselines alike; durability stays as it is by default. No
/// checkpoint falls into a measurement: after one, the first change of each page writes the whole
/// page to the log, which would hide the differences.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "32GB"),
    ("checkpoint_timeout", "1d"),
    ("log_min_messages", "fatal"),
];

/// A running cluster. It ends with this value.
pub struct Postgres {
    cluster: Cluster,
    /// The parent of all its processes.
    pub postmaster: u32,
    /// Path of pgbench.
    pub pgbench: PathBuf,
    /// Version, as the server reports it.
    pub version: String,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Errors
    /// If it cannot be started, or has no pgbench.
    pub async fn start() -> anyhow::Result<Self> {
        let cluster = Cluster::private();
        tune(&cluster).await?;
        let mut connection = cluster.server().connect().await?;
        let backend: i32 = ask(&mut connection, "SELECT pg_backend_pid()").await?;
        let programs: String = ask(
            &mut connection,
            "SELECT setting FROM pg_config WHERE name = 'BINDIR'",
        )
        .await?;
        let pgbench = PathBuf::from(programs).join("pgbench");
        ensure!(
            pgbench.is_file(),
            "there is no {}: the baselines need it (Debian: apt install postgresql)",
            pgbench.display()
        );
        Ok(Self {
            cluster,
            postmaster: cpu::parent(backend.unsigned_abs())?,
            pgbench,
            version: ask(&mut connection, "SHOW server_version").await?,
        })
    }

    /// To connect to it.
    pub fn server(&self) -> PostgresServer {
        self.cluster.server()
    }
}

async fn tune(cluster: &Cluster) -> anyhow::Result<()> {
    let mut connection = cluster.server().connect().await?;
    for (name, value) in SETTINGS {
        let text = format!("ALTER SYSTEM SET {name} = '{value}'");
        connection
            .execute(AssertSqlSafe(text))
            .await
            .context(name)?;
    }
    connection.close().await?;
    // Nothing is in it that could be lost.
    cluster.crash();
    cluster.restart();
    Ok(())
}

async fn ask<T>(connection: &mut PgConnection, question: &'static str) -> sqlx::Result<T>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    sqlx::query_scalar(question).fetch_one(connection).await
}
