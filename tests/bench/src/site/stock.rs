//! Fills a database with a dataset, faster than calls could.
//!
//! The first message came by a call; all others are copies of it, so that whatever the
//! service stores of a message is in each of them.

use std::ops::Range;
use std::str::FromStr as _;
use std::time::Duration;

use indicatif::ProgressBar;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::site::dataset::{Dataset, FIRST_MAILBOX, ROUND_MS};

/// Messages of a transaction.
const CHUNK: u64 = 25_000;

/// Keeps the first message as a template, and empties the tables.
const BEGIN: &str = "
    CREATE TABLE template AS SELECT * FROM message;
    DELETE FROM msgbox; DELETE FROM message; DELETE FROM mailbox;";

/// A database to fill.
pub enum Stock {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Stock {
    /// Connects to a database that has the schema.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        if !url.starts_with("sqlite:") {
            return Ok(Self::Postgres(PgConnection::connect(url).await?));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .busy_timeout(Duration::from_mins(1))
            .pragma("synchronous", "OFF")
            .pragma("cache_size", "-500000");
        Ok(Self::Sqlite(options.connect().await?))
    }

    /// Puts the dataset in the place of the first message.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn fill(mut self, dataset: &Dataset, progress: &ProgressBar) -> anyhow::Result<()> {
        self.run(BEGIN.to_owned()).await?;
        self.run(self.mailboxes(dataset)).await?;
        let mut begin = 0;
        while begin < dataset.messages() {
            let end = (begin + CHUNK).min(dataset.messages());
            let (messages, entries) = (
                self.messages(dataset, begin, end),
                self.entries(dataset, begin, end),
            );
            self.run(format!("BEGIN; {messages}; {entries}; COMMIT"))
                .await?;
            progress.inc(end - begin);
            begin = end;
        }
        self.run("DROP TABLE template".to_owned()).await?;
        self.settle().await
    }

    /// Adds mailboxes of further users, as they are after a first call. There must be one already.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn add_mailboxes(mut self, users: Range<u64>) -> anyhow::Result<()> {
        let Range { start, end } = users;
        self.run(format!(
            "INSERT INTO mailbox (create_ms, app_no, profile_id, known)
             WITH RECURSIVE n (i) AS (
                 SELECT CAST({start} AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end}
             )
             SELECT m.create_ms, m.app_no, 'u' || n.i, 1
             FROM n CROSS JOIN (SELECT create_ms, app_no FROM mailbox LIMIT 1) m
             WHERE n.i < {end}"
        ))
        .await?;
        self.settle().await
    }

    /// Leaves the database as one that has been there for a while.
    async fn settle(mut self) -> anyhow::Result<()> {
        let texts: &[&str] = match self {
            Self::Postgres(_) => &[
                "SELECT setval(pg_get_serial_sequence('mailbox', 'mailbox_id'), max(mailbox_id)) \
                 FROM mailbox",
                "VACUUM (ANALYZE)",
            ],
            Self::Sqlite(_) => &["PRAGMA wal_checkpoint(TRUNCATE)"],
        };
        for text in texts {
            self.run((*text).to_owned()).await?;
        }
        Ok(())
    }

    fn mailboxes(&self, dataset: &Dataset) -> String {
        let overriding = match self {
            Self::Postgres(_) => "OVERRIDING SYSTEM VALUE",
            Self::Sqlite(_) => "",
        };
        let (profiles, rounds) = (dataset.profiles(), dataset.rounds());
        let (begin_ms, seq) = (dataset.begin_ms(), 2 * rounds);
        let clock_ms = begin_ms + (rounds - 1) * ROUND_MS;
        format!(
            "WITH RECURSIVE n (i) AS (
                 SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {profiles}
             )
             INSERT INTO mailbox (mailbox_id, seq, floor_seq, clock_ms, inbox_total,
                 inbox_unread, sent_total, next_expiry_ms, create_ms, app_no, profile_id, known,
                 kept_bytes)
             {overriding}
             SELECT {FIRST_MAILBOX} + i, {seq}, 0, {clock_ms}, {rounds}, {rounds}, {rounds},
                 t.expire_ms, {begin_ms}, t.app_no, 'u' || i, 1, {rounds} * t.size_bytes
             FROM n CROSS JOIN template t"
        )
    }

    /// The messages `n`: number, round `k`, sender `s`, recipient `r`, time, and id.
    fn numbered(&self, dataset: &Dataset, begin: u64, end: u64) -> String {
        let id = match self {
            Self::Postgres(_) => {
                "(lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid"
            }
            Self::Sqlite(_) => "unhex(printf('%012x70008000%012x', ms, i))",
        };
        let (profiles, others) = (dataset.profiles(), dataset.profiles() - 1);
        let begin_ms = dataset.begin_ms();
        format!(
            "WITH RECURSIVE g (i) AS (
                 SELECT CAST({begin} AS bigint) UNION ALL SELECT i + 1 FROM g WHERE i + 1 < {end}
             ), p AS (
                 SELECT i, i / {profiles} AS k, i % {profiles} AS s,
                     (i % {profiles} + 1 + i / {profiles} % {others}) % {profiles} AS r,
                     {begin_ms} + i / {profiles} * {ROUND_MS} AS ms
                 FROM g
             ), n AS (SELECT i, k, s, r, ms, {id} AS id FROM p)"
        )
    }

    fn messages(&self, dataset: &Dataset, begin: u64, end: u64) -> String {
        let numbered = self.numbered(dataset, begin, end);
        format!(
            "{numbered}
             INSERT INTO message (message_id, version, send_ms, update_ms, expire_ms, app_no,
                 size_bytes, kind, content_kind, modified, sender_profile_id, sender_name,
                 sender_pic, recipients, notification, digest, content)
             SELECT id, t.version, ms, ms, t.expire_ms, t.app_no, t.size_bytes, t.kind,
                 t.content_kind, t.modified, 'u' || s, 'u' || s, t.sender_pic,
                 '\n' || 'u' || r || '\n', t.notification, t.digest, t.content
             FROM n CROSS JOIN template t"
        )
    }

    fn entries(&self, dataset: &Dataset, begin: u64, end: u64) -> String {
        let numbered = self.numbered(dataset, begin, end);
        format!(
            "{numbered}
             INSERT INTO msgbox (mailbox_id, message_id, seq, create_seq, create_ms, update_ms,
                 version, content_version, expire_ms, app_no, box)
             SELECT {FIRST_MAILBOX} + r, id, 2 * k + 1, 2 * k + 1, ms, ms, 1, 1, t.expire_ms,
                 t.app_no, 0
             FROM n CROSS JOIN template t
             UNION ALL
             SELECT {FIRST_MAILBOX} + s, id, 2 * k + 2, 2 * k + 2, ms, ms, 1, 1, t.expire_ms,
                 t.app_no, 1
             FROM n CROSS JOIN template t"
        )
    }

    async fn run(&mut self, text: String) -> sqlx::Result<()> {
        let query = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Self::Postgres(connection) => query.execute(connection).await.map(drop),
            Self::Sqlite(connection) => query.execute(connection).await.map(drop),
        }
    }
}
