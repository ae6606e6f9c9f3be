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
use crate::db::database_file::DatabaseFile;
use crate::db::dialect::{BatchColumn, Dialect, Kind};
use crate::db::error::ErrorClass;
use crate::db::migrations::{SQLITE_MIGRATIONS, migrator};
use crate::db::notification::NotificationHandler;
use crate::db::open_error::{OpenError, Unsuitable};
use crate::db::pool::{CONNECT_TIMEOUT, Pool};
use crate::options::{Options, Timeouts};

/// Primary result codes, <https://sqlite.org/rescode.html>; the higher bits of a code only say
/// more of the same.
mod code {
    pub const SQLITE_PERM: i64 = 3;
    pub const SQLITE_BUSY: i64 = 5;
    pub const SQLITE_LOCKED: i64 = 6;
    pub const SQLITE_READONLY: i64 = 8;
    pub const SQLITE_INTERRUPT: i64 = 9;
    pub const SQLITE_IOERR: i64 = 10;
    pub const SQLITE_CORRUPT: i64 = 11;
    pub const SQLITE_FULL: i64 = 13;
    pub const SQLITE_CANTOPEN: i64 = 14;
    pub const SQLITE_NOTADB: i64 = 26;
    /// The bits of the primary code.
    pub const PRIMARY: i64 = 0xff;
}

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE_MIGRATIONS));

/// Returns whether a url leads to a database in memory, which ends with its connection.
fn is_in_memory(url: &str) -> bool {
    [":memory:", "mode=memory"]
        .iter()
        .any(|it| url.contains(it))
}

impl Backend for Sqlite {
    const DIALECT: Dialect = Dialect {
        index: 1,
        strpos: "instr",
        identity: "NULL",
        xid: "NULL",
        clock_ms: "NULL",
        may_create: "true",
        locks_rows: false,
        each: str::to_owned,
        rows: json_each,
    };
    const SYSTEM: &'static str = "sqlite";
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    // No row is locked, and there are no bitmaps: nothing to be set.
    const WAIT_BRIEFLY: &'static str = "SELECT 1";
    const ALLOW_BITMAPS: &'static str = "SELECT 1";
    const BEGIN_SNAPSHOT: &'static str = "BEGIN";
    const WRITERS_MAX: usize = 1;
    const TIMEOUTS: Timeouts = Timeouts {
        acquire: Duration::from_secs(5),
        lock: Duration::from_secs(5),
        // None: it is in this process.
        statement: Duration::MAX,
        settle: Duration::from_secs(5),
    };
    const MIGRATES_ITSELF: bool = true;

    fn pools(options: &Options, _purpose: Purpose) -> Result<Pools<Self>, OpenError> {
        let limits = options.timeouts.unwrap_or(Self::TIMEOUTS);
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(OpenError::Url)?
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(limits.lock)
            .foreign_keys(true)
            // What is deleted is overwritten, also in pages that become free: FAST leaves those.
            .pragma("secure_delete", "ON")
            .optimize_on_close(false, None);
        if is_in_memory(&options.url) {
            return Err(OpenError::NotAFile);
        }
        let file = DatabaseFile::open(connect.get_filename(), options.file_access)?;
        let pool = |name, size| {
            let opener = PoolOptions::new()
                .max_connections(size)
                .acquire_timeout(CONNECT_TIMEOUT)
                .connect_lazy_with(connect.clone());
            Pool::new(
                opener,
                Some(file.clone()),
                limits.acquire,
                limits.answer(),
                name,
                Self::SYSTEM,
            )
        };
        Ok(Pools {
            write: pool("write", 1),
            read: pool("read", options.read_connections),
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
        let batch = EncodedRows::of(&columns, rows)?;
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
        let Some(result) = code.and_then(|code| code.parse::<i64>().ok()) else {
            return ErrorClass::of_connection(error);
        };
        match result & code::PRIMARY {
            code::SQLITE_BUSY | code::SQLITE_LOCKED => ErrorClass::Conflict,
            code::SQLITE_INTERRUPT => ErrorClass::Timeout,
            code::SQLITE_PERM
            | code::SQLITE_READONLY
            | code::SQLITE_IOERR
            | code::SQLITE_FULL
            | code::SQLITE_CANTOPEN => ErrorClass::Unavailable,
            code::SQLITE_CORRUPT | code::SQLITE_NOTADB => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        }
    }

    fn is_rolled_back(_error: &sqlx::Error) -> bool {
        // The transaction stays open after an error, and ends with its connection.
        false
    }

    fn is_missing_table(error: &sqlx::Error) -> bool {
        let message = error
            .as_database_error()
            .map(sqlx::error::DatabaseError::message);
        message.is_some_and(|message| message.starts_with("no such table"))
    }

    fn unsuitable(
        _connection: &mut PoolConnection<Self>,
    ) -> BoxFuture<'_, Result<Option<Unsuitable>, sqlx::Error>> {
        async { Ok(None) }.boxed()
    }

    /// Writers are in this process; those of other processes are found by polling.
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

/// The rows of a batch in two arguments: a JSON array of arrays, in which bytes are offset and
/// length of their position in one blob; and the blob.
#[derive(Default)]
struct EncodedRows {
    json: String,
    blob: Vec<u8>,
}

impl EncodedRows {
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

/// Renders the query that yields the rows of a [`EncodedRows`].
fn json_each(columns: &[BatchColumn], first: usize) -> String {
    let blob = first + 1;
    let mut position = 0;
    let mut fields = Vec::new();
    for (name, kind) in columns {
        let field = match kind {
            Kind::Int | Kind::Text => format!("value ->> {position}"),
            Kind::Bytes | Kind::Uuid => {
                position += 1;
                format!(
                    "substr(${blob}, value ->> {}, value ->> {position})",
                    position - 1
                )
            }
        };
        position += 1;
        fields.push(format!("{field} AS {name}"));
    }
    format!(
        "SELECT {}, key AS ord FROM json_each(${first})",
        fields.join(", ")
    )
}
