//! `SQLite`, embedded.

use std::fmt::Write;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::error::BoxDynError;
use sqlx::migrate::Migrator;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteQueryResult, SqliteSynchronous};
use sqlx::{Arguments, Sqlite};

use super::{Backend, Pools, Purpose, TransactionStatus};
use crate::db::bind::ColumnValues;
use crate::db::dialect::{Column, Dialect, Kind};
use crate::db::error::ErrorClass;
use crate::db::migrations::{SQLITE_MIGRATIONS, migrator};
use crate::db::notification::NotificationHandler;
use crate::db::pool::Pool;
use crate::options::Options;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE_MIGRATIONS));

impl Backend for Sqlite {
    const DIALECT: Dialect = Dialect {
        index: 1,
        strpos: "instr",
        identity: "NULL",
        xid: "NULL",
        locks_rows: false,
        rows: json_each,
    };
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const BEGIN_SNAPSHOT: &'static str = "BEGIN";
    const WRITERS_MAX: usize = 1;
    /// It is in this process.
    const ANSWERS_WITHIN: Duration = Duration::MAX;
    const MIGRATES_ITSELF: bool = true;

    fn pools(options: &Options, _purpose: Purpose) -> Result<Pools<Self>, sqlx::Error> {
        let connect = SqliteConnectOptions::from_str(&options.url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .optimize_on_close(false, None);
        let pool = |size| {
            PoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(5))
                .connect_lazy_with(connect.clone())
        };
        Ok(Pools {
            write: Pool::new(pool(1)),
            read: Pool::new(pool(options.read_connections)),
        })
    }

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    fn bind_rows(
        arguments: &mut Self::Arguments,
        columns: Vec<ColumnValues>,
        rows: usize,
    ) -> Result<(), BoxDynError> {
        if columns.is_empty() {
            return Ok(());
        }
        let batch = Batch::of(&columns, rows)?;
        arguments.add(batch.json)?;
        arguments.add(batch.blob)
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn classify(error: &sqlx::Error) -> ErrorClass {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        let Some(code) = code.and_then(|code| code.parse::<i64>().ok()) else {
            return ErrorClass::of_connection(error);
        };
        // The primary result code; the rest says more of the same.
        match code & 0xff {
            5 | 6 => ErrorClass::Conflict,
            9 => ErrorClass::Timeout,
            // PERM, READONLY, IOERR, FULL, CANTOPEN
            3 | 8 | 10 | 13 | 14 => ErrorClass::Unavailable,
            // CORRUPT, NOTADB
            11 | 26 => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        }
    }

    fn is_missing_table(error: &sqlx::Error) -> bool {
        let message = error
            .as_database_error()
            .map(sqlx::error::DatabaseError::message);
        message.is_some_and(|message| message.starts_with("no such table"))
    }

    /// Whoever writes to the file is in this process, or is found by polling.
    fn listen(_: String, _: Arc<dyn NotificationHandler>) -> Option<BoxFuture<'static, ()>> {
        None
    }

    fn transaction_status<'a>(
        _connection: &'a mut PoolConnection<Self>,
        _xid: &'a str,
    ) -> BoxFuture<'a, Result<TransactionStatus, sqlx::Error>> {
        async { Ok(TransactionStatus::Unknown) }.boxed()
    }
}

/// All rows are one JSON text: an array of arrays, in which bytes are their place in one
/// blob, offset and length.
#[derive(Default)]
struct Batch {
    json: String,
    blob: Vec<u8>,
}

impl Batch {
    fn of(columns: &[ColumnValues], rows: usize) -> Result<Self, BoxDynError> {
        let mut batch = Self::default();
        for row in 0..rows {
            batch.json.push_str(if row == 0 { "[[" } else { "],[" });
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    batch.json.push(',');
                }
                batch.push(column, row)?;
            }
        }
        batch.json.push_str(if rows == 0 { "[]" } else { "]]" });
        Ok(batch)
    }

    fn push(&mut self, column: &ColumnValues, row: usize) -> Result<(), BoxDynError> {
        match column {
            ColumnValues::Int(values) => match values[row] {
                Some(value) => write!(self.json, "{value}")?,
                None => self.json.push_str("null"),
            },
            ColumnValues::Text(values) => self.json.push_str(&serde_json::to_string(&values[row])?),
            ColumnValues::Bytes(values) => self.push_bytes(values[row].as_deref())?,
            ColumnValues::Uuid(values) => {
                self.push_bytes(values[row].as_ref().map(|id| id.as_bytes().as_slice()))?;
            }
        }
        Ok(())
    }

    fn push_bytes(&mut self, bytes: Option<&[u8]>) -> std::fmt::Result {
        let Some(bytes) = bytes else {
            self.json.push_str("null,null");
            return Ok(());
        };
        // `substr` counts from 1.
        write!(self.json, "{},{}", self.blob.len() + 1, bytes.len())?;
        self.blob.extend_from_slice(bytes);
        Ok(())
    }
}

fn json_each(columns: &[Column], first: usize) -> String {
    let blob = first + 1;
    let mut place = 0;
    let mut fields = Vec::new();
    for (name, kind) in columns {
        let field = match kind {
            Kind::Int | Kind::Text => format!("value ->> {place}"),
            Kind::Bytes | Kind::Uuid => {
                place += 1;
                format!(
                    "substr(${blob}, value ->> {}, value ->> {place})",
                    place - 1
                )
            }
        };
        place += 1;
        fields.push(format!("{field} AS {name}"));
    }
    format!(
        "SELECT {}, key AS ord FROM json_each(${first})",
        fields.join(", ")
    )
}
