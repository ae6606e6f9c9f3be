//! Costs of a measurement, read before and after it.

use anyhow::Context as _;
use sqlx::PgConnection;

use crate::load::closed_loop::now_us;
use crate::measure::cpu;

const WAL: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";

/// Bytes of WAL for rows of `request` between two positions.
const WAL_OF_REQUESTS: &str = "
    SELECT coalesce(sum(record_length), 0)::bigint
    FROM pg_get_wal_records_info('0/0'::pg_lsn + $1::numeric, '0/0'::pg_lsn + $2::numeric)
    WHERE block_ref ~ (
        SELECT string_agg('rel [0-9]+/[0-9]+/' || pg_relation_filenode(oid) || ' ', '|')
        FROM pg_class WHERE oid = 'request'::regclass
            OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'request'::regclass)
    )";

/// Processes whose costs are read.
#[derive(Debug)]
pub struct Meter {
    /// The processes that answer the calls.
    pub servers: Vec<u32>,
    /// The database, if it is not in that process.
    pub database: Option<MeteredDatabase>,
}

/// A cluster of `PostgreSQL`.
#[derive(Debug)]
pub struct MeteredDatabase {
    /// The parent of all its processes.
    pub postmaster: u32,
    /// A connection to ask it.
    pub connection: PgConnection,
}

/// Counters at one time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Time of the reading, in microseconds since the epoch.
    pub at_us: u64,
    /// Processor time of the servers, in microseconds.
    pub server_us: u64,
    /// Processor time of the database's processes, in microseconds.
    pub database_us: Option<u64>,
    /// Processor time of the load generator, in microseconds.
    pub client_us: u64,
    /// Position in the database's log, in bytes.
    pub wal_bytes: Option<i64>,
}

impl Meter {
    /// Reads all counters; `client` is the process that makes the load.
    ///
    /// # Errors
    /// If one of the processes has ended.
    pub async fn read(&mut self, client: u32) -> anyhow::Result<Reading> {
        let mut reading = Reading {
            server_us: cpu::of_processes(&self.servers)?,
            client_us: cpu::of_process(client)?,
            ..Reading::default()
        };
        if let Some(database) = &mut self.database {
            let wal = sqlx::query_scalar(WAL)
                .fetch_one(&mut database.connection)
                .await?;
            reading.wal_bytes = Some(wal);
            reading.database_us = Some(cpu::of_family(database.postmaster)?);
        }
        reading.at_us = now_us();
        Ok(reading)
    }

    /// Bytes of WAL for rows of `request` between two readings; none without such a log.
    ///
    /// # Errors
    /// If the database cannot read its log.
    pub async fn wal_of_requests(
        &mut self,
        before: &Reading,
        after: &Reading,
    ) -> anyhow::Result<Option<i64>> {
        let places = before.wal_bytes.zip(after.wal_bytes);
        let Some((database, (before, after))) = self.database.as_mut().zip(places) else {
            return Ok(None);
        };
        let connection = &mut database.connection;
        sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
            .execute(&mut *connection)
            .await
            .context("pg_walinspect comes with PostgreSQL (Debian: apt install postgresql)")?;
        let bytes = sqlx::query_scalar(WAL_OF_REQUESTS).bind(before).bind(after);
        Ok(Some(bytes.fetch_one(connection).await?))
    }
}
