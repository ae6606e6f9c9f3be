//! `PostgreSQL`.

mod link;
mod listener;
mod requirements;

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

use super::{Backend, Codec, Pools, Purpose, RunStatements, TransactionStatus};
use crate::db::bind::ColumnValues;
use crate::db::dialect::{BatchColumn, Dialect, Kind};
use crate::db::error::ErrorClass;
use crate::db::migrations::{POSTGRES_MIGRATIONS, migrator};
use crate::db::notification::NotificationHandler;
use crate::db::open_error::{OpenError, Unsuitable};
use crate::db::pool::{CONNECT_TIMEOUT, Pool};
use crate::options::{Options, Timeouts};

pub use link::link;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES_MIGRATIONS));

/// System identifier, timeline and database: a restored cluster has another timeline, a
/// restored copy of a database another number.
const IDENTITY: &str = "(SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE
    c.system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        || '/' || d.oid::text END
    FROM pg_control_system() c CROSS JOIN pg_database d WHERE d.datname = current_database())";

/// Every statement looks rows up by an index, from a batch or from one mailbox. A prepared
/// statement keeps a generic plan that was made while tables were small, where a sequential scan
/// or a hash of the table is cheapest; it would be kept when they are large. A bitmap of an index
/// loses its order, for which a page would be sorted as a whole. So the planner is left with nested
/// loops over index scans.
const PLANNER_SETTINGS: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_bitmapscan", "off"),
];

/// SQLSTATEs, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
mod sqlstate {
    pub const INVALID_PARAMETER_VALUE: &str = "22023";
    pub const UNIQUE_VIOLATION: &str = "23505";
    pub const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    pub const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
    pub const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: &str = "25P03";
    pub const SERIALIZATION_FAILURE: &str = "40001";
    pub const DEADLOCK_DETECTED: &str = "40P01";
    pub const UNDEFINED_TABLE: &str = "42P01";
    pub const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub const QUERY_CANCELED: &str = "57014";
    /// Answers to a commit after which nothing was committed.
    pub const ROLLED_BACK: [&str; 3] = [
        IN_FAILED_SQL_TRANSACTION,
        LOCK_NOT_AVAILABLE,
        QUERY_CANCELED,
    ];
    /// Classes of such answers: integrity constraint violation, transaction rollback.
    pub const ROLLED_BACK_CLASSES: [&str; 2] = ["23", "40"];
    /// Prefixes: connection exceptions, insufficient resources, operator intervention such as a
    /// shutdown, and system errors.
    pub const UNAVAILABLE: [&str; 4] = ["08", "53", "57P", "58"];
}

impl Backend for Postgres {
    const DIALECT: Dialect = Dialect {
        index: 0,
        strpos: "strpos",
        identity: IDENTITY,
        xid: "pg_current_xact_id()::text",
        clock_ms: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
        may_create: "pg_try_advisory_xact_lock(hashtextextended(r.profile_id, r.app_no))",
        locks_rows: true,
        each: lateral,
        rows: unnest,
    };
    const SYSTEM: &'static str = "postgresql";
    // Each statement sees what was committed before it, whatever the default of the database.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    const WAIT_BRIEFLY: &'static str = "SET LOCAL lock_timeout = '50ms'";
    const ALLOW_BITMAPS: &'static str = "SET LOCAL enable_bitmapscan = on";
    const BEGIN_SNAPSHOT: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    const WRITERS_MAX: usize = usize::MAX;
    const TIMEOUTS: Timeouts = Timeouts {
        acquire: Duration::from_secs(1),
        lock: Duration::from_secs(1),
        statement: Duration::from_secs(5),
        settle: Duration::from_secs(5),
    };
    const MIGRATES_ITSELF: bool = false;

    fn pools(options: &Options, purpose: Purpose) -> Result<Pools<Self>, OpenError> {
        let mut connect = PgConnectOptions::from_str(&options.url)
            .map_err(OpenError::Url)?
            .application_name("postroom");
        let limits = options.timeouts.unwrap_or(Self::TIMEOUTS);
        if purpose == Purpose::Service {
            let timeouts = [
                ("statement_timeout", limits.statement),
                ("lock_timeout", limits.lock),
                // Of a replica that is stopped in the middle of a transaction: then its locks are
                // free.
                ("idle_in_transaction_session_timeout", 2 * limits.lock),
            ];
            let timeouts = timeouts.map(|(name, time)| (name, time.as_millis().to_string()));
            connect = connect.options(timeouts).options(PLANNER_SETTINGS);
        }
        let pool = |name, size| {
            let opener = PoolOptions::new()
                .max_connections(size)
                .acquire_timeout(CONNECT_TIMEOUT)
                .connect_lazy_with(connect.clone());
            Pool::new(
                opener,
                None,
                limits.acquire,
                limits.answer(),
                name,
                Self::SYSTEM,
            )
        };
        Ok(Pools {
            write: pool("write", options.write_connections),
            read: pool("read", options.read_connections),
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
            // A unique violation: another transaction has inserted the same key since.
            sqlstate::SERIALIZATION_FAILURE
            | sqlstate::DEADLOCK_DETECTED
            | sqlstate::LOCK_NOT_AVAILABLE
            | sqlstate::UNIQUE_VIOLATION => ErrorClass::Conflict,
            sqlstate::QUERY_CANCELED => ErrorClass::Timeout,
            sqlstate::READ_ONLY_SQL_TRANSACTION | sqlstate::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                ErrorClass::Unavailable
            }
            _ if sqlstate::UNAVAILABLE
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                ErrorClass::Unavailable
            }
            _ => ErrorClass::Other,
        }
    }

    fn is_rolled_back(error: &sqlx::Error) -> bool {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| {
            let is_exact = sqlstate::ROLLED_BACK.contains(&&*code);
            let classes = sqlstate::ROLLED_BACK_CLASSES;
            is_exact || classes.iter().any(|class| code.starts_with(class))
        })
    }

    fn is_missing_table(error: &sqlx::Error) -> bool {
        has_code(error, sqlstate::UNDEFINED_TABLE)
    }

    fn unsuitable(
        connection: &mut PoolConnection<Self>,
    ) -> BoxFuture<'_, Result<Option<Unsuitable>, sqlx::Error>> {
        requirements::unsuitable(connection).boxed()
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
                // An id that is still to be given out: the transaction was lost in a crash.
                Err(error) if has_code(&error, sqlstate::INVALID_PARAMETER_VALUE) => {
                    return Ok(TransactionStatus::Aborted);
                }
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

/// Renders a look-up for each row to its left. The offset keeps it apart from the rest, and so the
/// planner can neither begin with it nor go through more than its range.
fn lateral(range: &str) -> String {
    let alias = range.split_whitespace().nth(1).unwrap_or_default();
    format!("LATERAL (SELECT * FROM {range} OFFSET 0) {alias}")
}

/// Renders the query that yields the rows of a batch: each column is one array.
fn unnest(columns: &[BatchColumn], first: usize) -> String {
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
