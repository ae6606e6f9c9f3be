//! `PostgreSQL`.

mod listener;

use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::error::BoxDynError;
use sqlx::migrate::Migrator;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgQueryResult};
use sqlx::{Arguments, Database, Postgres};

use super::{Backend, Codec, Pools, Purpose, Run, TransactionStatus};
use crate::db::bind::ColumnValues;
use crate::db::dialect::{Column, Dialect, Kind};
use crate::db::error::ErrorClass;
use crate::db::migrations::{POSTGRES_MIGRATIONS, migrator};
use crate::db::notification::NotificationHandler;
use crate::db::pool::Pool;
use crate::options::Options;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES_MIGRATIONS));

/// A restored copy of a cluster has its identifier, and another timeline; a restored copy of
/// a database has both, and another number.
const IDENTITY: &str = "(SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE
    c.system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        || '/' || d.oid::text END
    FROM pg_control_system() c CROSS JOIN pg_database d WHERE d.datname = current_database())";

/// How long the server lets a statement take.
const STATEMENT_MAX: Duration = Duration::from_secs(5);
const _: () = assert!(STATEMENT_MAX.as_secs() < Postgres::ANSWERS_WITHIN.as_secs());

impl Backend for Postgres {
    const DIALECT: Dialect = Dialect {
        index: 0,
        strpos: "strpos",
        identity: IDENTITY,
        xid: "pg_current_xact_id()::text",
        locks_rows: true,
        rows: unnest,
    };
    const BEGIN: &'static str = "BEGIN";
    const BEGIN_SNAPSHOT: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    const WRITERS_MAX: usize = usize::MAX;
    const ANSWERS_WITHIN: Duration = Duration::from_secs(6);
    const MIGRATES_ITSELF: bool = false;

    fn pools(options: &Options, purpose: Purpose) -> Result<Pools<Self>, sqlx::Error> {
        let mut connect = PgConnectOptions::from_str(&options.url)?.application_name("postroom");
        if purpose == Purpose::Service {
            let statement_max_ms = STATEMENT_MAX.as_millis().to_string();
            connect = connect.options([
                ("statement_timeout", statement_max_ms.as_str()),
                ("lock_timeout", "1s"),
                ("idle_in_transaction_session_timeout", "10s"),
                // All is looked up by keys. A plan that was made while a table was small,
                // and kept, would go through it when it is large.
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
            ]);
        }
        let pool = |size| {
            PoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(1))
                .connect_lazy_with(connect.clone())
        };
        Ok(Pools {
            write: Pool::new(pool(options.write_connections)),
            read: Pool::new(pool(options.read_connections)),
        })
    }

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    fn bind_rows(
        arguments: &mut Self::Arguments,
        columns: Vec<ColumnValues>,
        _rows: usize,
    ) -> Result<(), BoxDynError> {
        for column in columns {
            match column {
                ColumnValues::Int(values) => arguments.add(values)?,
                ColumnValues::Text(values) => arguments.add(values)?,
                ColumnValues::Bytes(values) => arguments.add(values)?,
                ColumnValues::Uuid(values) => arguments.add(values)?,
            }
        }
        Ok(())
    }

    fn rows_affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn classify(error: &sqlx::Error) -> ErrorClass {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        let Some(code) = code.as_deref() else {
            return ErrorClass::of_connection(error);
        };
        match code {
            // The last one: somebody else has written the same key in between.
            "40001" | "40P01" | "55P03" | "23505" => ErrorClass::Conflict,
            "57014" => ErrorClass::Timeout,
            "25006" => ErrorClass::Unavailable,
            _ if ["08", "53", "57P", "58"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                ErrorClass::Unavailable
            }
            _ => ErrorClass::Other,
        }
    }

    fn is_missing_table(error: &sqlx::Error) -> bool {
        has_code(error, "42P01")
    }

    fn listen(
        url: String,
        handler: Arc<dyn NotificationHandler>,
    ) -> Option<BoxFuture<'static, ()>> {
        Some(listener::listen(url, handler).boxed())
    }

    fn transaction_status<'a>(
        connection: &'a mut PoolConnection<Self>,
        xid: &'a str,
    ) -> BoxFuture<'a, Result<TransactionStatus, sqlx::Error>> {
        async move {
            let mut arguments = <Self as Database>::Arguments::default();
            arguments.add(xid).map_err(sqlx::Error::Encode)?;
            let text = "SELECT pg_xact_status($1::text::xid8)";
            let rows = match Self::fetch(connection, text, arguments).await {
                // An id that is still to be given out: a crash has forgotten the transaction.
                Err(error) if has_code(&error, "22023") => return Ok(TransactionStatus::Aborted),
                rows => rows?,
            };
            let status: Option<String> = match rows.first() {
                Some(row) => Self::get(row, 0)?,
                None => None,
            };
            Ok(match status.as_deref() {
                Some("committed") => TransactionStatus::Committed,
                Some("aborted") => TransactionStatus::Aborted,
                Some("in progress") => TransactionStatus::InProgress,
                _ => TransactionStatus::Unknown,
            })
        }
        .boxed()
    }
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let error = error.as_database_error();
    error.and_then(sqlx::error::DatabaseError::code).as_deref() == Some(code)
}

/// Each column is one array.
fn unnest(columns: &[Column], first: usize) -> String {
    let arrays: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|((_, kind), number)| {
            let array = match kind {
                Kind::Int => "int8[]",
                Kind::Text => "text[]",
                Kind::Bytes => "bytea[]",
                Kind::Uuid => "uuid[]",
            };
            format!("${number}::{array}")
        })
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!(
        "SELECT * FROM unnest({}) WITH ORDINALITY AS r ({}, ord)",
        arrays.join(", "),
        names.join(", ")
    )
}
