//! The database, seen from below.

use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use support::store::Backend;

pub enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction that is in the way of others.
pub enum Held {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Held {
    /// Lets the others go on.
    pub async fn release(self) {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
        .expect("an end");
    }
}

/// Everything that is stored, but for the numbers that the database itself gives out.
/// Bytes are `hex(…)` on both databases.
const EVERYTHING: [&str; 10] = [
    "SELECT a.app_id || ' app ' || coalesce(a.settings, '-') || ' ' || a.bulk_head FROM app a",
    "SELECT a.app_id || ' mailbox ' || b.profile_id || ' ' || b.seq || ' ' || b.floor_seq || ' '
         || b.clock_ms || ' ' || b.inbox_total || ' ' || b.inbox_unread || ' ' || b.sent_total
         || ' ' || coalesce('' || b.next_expiry_ms, '-') || ' ' || b.bulk_cursor || ' '
         || b.bulk_joined
     FROM mailbox b JOIN app a ON a.app_no = b.app_no",
    "SELECT a.app_id || ' message ' || hex(m.message_id) || ' ' || m.kind || ' '
         || coalesce(m.sender_profile_id, '-') || ' ' || m.sender_name || ' ' || m.sender_pic
         || ' ' || m.recipients || ' ' || coalesce(hex(m.notification), '-') || ' ' || m.version
         || ' ' || m.modified || ' ' || m.send_ms || ' ' || m.update_ms || ' ' || m.expire_ms
         || ' ' || m.content_kind || ' ' || hex(m.digest) || ' ' || hex(m.content) || ' '
         || m.size_bytes || ' ' || coalesce('' || m.recall_ms, '-')
     FROM message m JOIN app a ON a.app_no = m.app_no",
    "SELECT a.app_id || ' entry ' || b.profile_id || ' ' || e.box || ' ' || hex(e.message_id)
         || ' ' || e.seq || ' ' || e.create_seq || ' ' || e.create_ms || ' ' || e.update_ms
         || ' ' || e.version || ' ' || e.content_version || ' ' || coalesce('' || e.read_ms, '-')
         || ' ' || coalesce('' || e.delivered_ms, '-') || ' ' || e.expire_ms
     FROM msgbox e JOIN mailbox b ON b.app_no = e.app_no AND b.mailbox_id = e.mailbox_id
     JOIN app a ON a.app_no = e.app_no",
    "SELECT a.app_id || ' tombstone ' || b.profile_id || ' ' || d.box || ' '
         || hex(d.message_id) || ' ' || d.seq || ' ' || d.create_seq || ' ' || d.delete_ms
     FROM msgbox_deleted d
     JOIN mailbox b ON b.app_no = d.app_no AND b.mailbox_id = d.mailbox_id
     JOIN app a ON a.app_no = d.app_no",
    "SELECT a.app_id || ' request ' || hex(q.request_key) || ' ' || hex(q.fingerprint) || ' '
         || coalesce(q.result, '-') || ' ' || q.expire_ms
     FROM request q JOIN app a ON a.app_no = q.app_no",
    "SELECT a.app_id || ' bulk ' || k.bulk_no || ' ' || k.what || ' ' || hex(k.message_id) || ' '
         || k.audience || ' ' || k.expire_ms
     FROM bulk k JOIN app a ON a.app_no = k.app_no",
    "SELECT a.app_id || ' tally ' || hex(t.message_id) || ' ' || sum(t.settled) || ' '
         || sum(t.read) || ' ' || sum(t.deleted)
     FROM bulk_tally t JOIN app a ON a.app_no = t.app_no GROUP BY a.app_id, t.message_id",
    "SELECT a.app_id || ' job ' || hex(j.job_id) || ' ' || coalesce(hex(j.message_id), '-') || ' '
         || j.state || ' ' || j.next_chunk || ' ' || j.accepted || ' ' || j.delivered || ' '
         || j.full_inboxes || ' ' || j.failed || ' ' || coalesce('' || j.change_turn, '-') || ' '
         || coalesce('' || j.change_chunk, '-') || ' ' || j.is_due
     FROM send_job j JOIN app a ON a.app_no = j.app_no",
    "SELECT a.app_id || ' chunk ' || hex(c.job_id) || ' ' || c.run_no || ' ' || c.chunk_no || ' '
         || c.recipients
     FROM send_chunk c JOIN app a ON a.app_no = c.app_no",
];

/// What `SQLite` has already.
const HEX: &str = "
    CREATE FUNCTION hex(uuid) RETURNS text IMMUTABLE LANGUAGE sql
        AS $$ SELECT upper(replace($1::text, '-', '')) $$;
    CREATE FUNCTION hex(bytea) RETURNS text IMMUTABLE LANGUAGE sql
        AS $$ SELECT upper(encode($1, 'hex')) $$;";

impl Raw {
    pub async fn open(backend: Backend, url: &str) -> Self {
        match backend {
            Backend::Sqlite => {
                let pool = SqlitePool::connect(url).await;
                Self::Sqlite(pool.expect("the file is there"))
            }
            Backend::Postgres => {
                let pool = PgPool::connect(url).await.expect("PostgreSQL is there");
                let raw = Self::Postgres(pool);
                raw.run(HEX).await;
                raw
            }
        }
    }

    /// Runs statements.
    pub async fn run(&self, text: &str) {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
            Self::Postgres(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
        }
        .expect("it runs");
    }

    /// The rows of a statement that selects one text, sorted.
    pub async fn lines(&self, text: &str) -> Vec<String> {
        let text = AssertSqlSafe(text.to_owned());
        let lines = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(text).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_scalar(text).fetch_all(pool).await,
        };
        let mut lines: Vec<String> = lines.expect("lines");
        lines.sort_unstable();
        lines
    }

    /// The one number that a statement selects.
    pub async fn number(&self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(text).fetch_one(pool).await,
            Self::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await,
        }
        .expect("a number")
    }

    /// Everything that is stored for the apps whose names begin so, without that
    /// beginning.
    pub async fn everything(&self, prefix: &str) -> Vec<String> {
        let mut all = Vec::new();
        for text in EVERYTHING {
            all.extend(self.lines(text).await);
        }
        all.iter()
            .filter_map(|line| line.strip_prefix(prefix))
            .map(str::to_owned)
            .collect()
    }

    /// How the database would go about a statement, whatever it is given, if it had more
    /// rows than it likes to go through.
    pub async fn plan(&self, text: &str) -> Vec<String> {
        match self {
            Self::Sqlite(pool) => {
                let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                let rows = sqlx::query_as::<_, (i64, i64, i64, String)>(text);
                let rows = rows.fetch_all(pool).await.expect("a plan");
                rows.into_iter().map(|(.., line)| line).collect()
            }
            Self::Postgres(pool) => postgres_plan(pool, text).await,
        }
    }

    /// From now on no commit that delivers a message works.
    pub async fn break_commits(&self) {
        self.run(match self {
            Self::Sqlite(_) => {
                "CREATE TABLE never (id INTEGER PRIMARY KEY);
                 CREATE TABLE broken (
                     id INTEGER REFERENCES never (id) DEFERRABLE INITIALLY DEFERRED
                 );
                 CREATE TRIGGER break_it AFTER INSERT ON msgbox
                 BEGIN INSERT INTO broken (id) VALUES (1); END;"
            }
            Self::Postgres(_) => {
                "CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql
                     AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
                 CREATE CONSTRAINT TRIGGER break_it AFTER INSERT ON msgbox
                     DEFERRABLE INITIALLY DEFERRED
                     FOR EACH ROW EXECUTE FUNCTION break_it();"
            }
        })
        .await;
    }

    /// Now commits work again.
    pub async fn mend_commits(&self) {
        self.run(match self {
            Self::Sqlite(_) => "DROP TRIGGER break_it; DROP TABLE broken; DROP TABLE never",
            Self::Postgres(_) => "DROP FUNCTION break_it CASCADE",
        })
        .await;
    }

    /// From now on no message with that content is taken.
    pub async fn refuse_contents(&self, words: &str) {
        self.run(&match self {
            Self::Sqlite(_) => format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON message
                 WHEN NEW.content = CAST('{words}' AS BLOB)
                 BEGIN SELECT RAISE(ABORT, 'refused'); END;"
            ),
            Self::Postgres(_) => format!(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                     AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
                 CREATE TRIGGER refuse BEFORE INSERT ON message
                     FOR EACH ROW WHEN (NEW.content = '{words}'::bytea)
                     EXECUTE FUNCTION refuse();"
            ),
        })
        .await;
    }

    /// Now all contents are taken again.
    pub async fn take_all_contents(&self) {
        self.run(match self {
            Self::Sqlite(_) => "DROP TRIGGER refuse",
            Self::Postgres(_) => "DROP FUNCTION refuse CASCADE",
        })
        .await;
    }

    /// From now on no deletion in a mailbox is forgotten.
    pub async fn keep_deletions_of(&self, owner: &str) {
        let whose = format!("SELECT mailbox_id FROM mailbox WHERE profile_id = '{owner}'");
        self.run(&match self {
            Self::Sqlite(_) => format!(
                "CREATE TRIGGER keep BEFORE DELETE ON msgbox_deleted
                 WHEN OLD.mailbox_id = ({whose})
                 BEGIN SELECT RAISE(ABORT, 'kept'); END;"
            ),
            Self::Postgres(_) => format!(
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF OLD.mailbox_id = ({whose}) THEN RAISE EXCEPTION 'kept'; END IF;
                     RETURN OLD;
                 END $$;
                 CREATE TRIGGER keep BEFORE DELETE ON msgbox_deleted
                     FOR EACH ROW EXECUTE FUNCTION keep();"
            ),
        })
        .await;
    }

    /// Lets nobody else write to a mailbox; everybody may read.
    pub async fn hold_writers(&self) -> Held {
        match self {
            Self::Sqlite(pool) => {
                let held = pool.begin_with("BEGIN IMMEDIATE").await;
                Held::Sqlite(held.expect("nobody writes"))
            }
            Self::Postgres(pool) => hold(pool, "LOCK TABLE mailbox IN SHARE MODE".to_owned()).await,
        }
    }

    /// Lets nobody else write to one mailbox.
    ///
    /// # Panics
    /// With `SQLite`, which locks no rows.
    pub async fn hold_mailbox(&self, owner: &str) -> Held {
        let Self::Postgres(pool) = self else {
            panic!("SQLite locks no rows")
        };
        let text = format!("SELECT 1 FROM mailbox WHERE profile_id = '{owner}' FOR UPDATE");
        hold(pool, text).await
    }

    /// Whether nobody is in the middle of a transaction.
    pub async fn is_quiet(&self) -> bool {
        match self {
            Self::Sqlite(pool) => {
                let mut connection = pool.acquire().await.expect("a connection");
                // What has begun keeps the log from being emptied.
                sqlx::raw_sql("PRAGMA busy_timeout = 0")
                    .execute(&mut *connection)
                    .await
                    .expect("it does not wait");
                let busy = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)");
                matches!(busy.fetch_one(&mut *connection).await, Ok(0_i64))
            }
            Self::Postgres(_) => {
                self.number(
                    "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()
                     AND (xact_start IS NOT NULL OR state LIKE 'idle in transaction%')",
                )
                .await
                    == 0
            }
        }
    }

    /// Lets `PostgreSQL` look for dead-locks after 20 ms instead of a second, on connections
    /// that are opened from now on.
    pub async fn look_for_deadlocks_at_once(&self) {
        if let Self::Postgres(_) = self {
            self.run(
                "DO $$ BEGIN EXECUTE format(
                     'ALTER DATABASE %I SET deadlock_timeout = 20', current_database()
                 ); END $$",
            )
            .await;
        }
    }

    /// Dead-locks so far. `SQLite` has one writer, and so none.
    pub async fn deadlocks(&self) -> i64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(_) => {
                self.number(
                    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
                )
                .await
            }
        }
    }

    /// Ends the connections of stores to a server.
    pub async fn end_connections(&self) {
        if let Self::Postgres(_) = self {
            self.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'postroom'",
            )
            .await;
            while self.backends().await > 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Connections of stores to a server.
    pub async fn backends(&self) -> i64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(_) => {
                self.number(
                    "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'postroom'",
                )
                .await
            }
        }
    }
}

/// Parameters get the types that they have by their use; those that are not used need one,
/// and `$1 IS NULL` tells none: something that cannot be decided before takes its place.
async fn postgres_plan(pool: &PgPool, text: &str) -> Vec<String> {
    let is_null =
        |text: String, number| text.replace(&format!("${number} IS NULL"), "random() < 0");
    let text = (1..=50).fold(text.to_owned(), is_null);
    let used = |number| text.contains(&format!("${number}"));
    let count = (1..=50).rev().find(|number| used(*number)).unwrap_or(0);
    let of_all = |what: &dyn Fn(usize) -> &'static str| {
        let all: Vec<&str> = (1..=count).map(what).collect();
        if all.is_empty() {
            String::new()
        } else {
            format!("({})", all.join(", "))
        }
    };
    let types = of_all(&|number| if used(number) { "unknown" } else { "text" });
    let nulls = of_all(&|_| "NULL");
    let prepare = format!(
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
         SET plan_cache_mode = force_generic_plan;
         PREPARE planned {types} AS {text}"
    );
    let mut connection = pool.acquire().await.expect("PostgreSQL is there");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE planned {nulls}"));
    let lines = sqlx::query_scalar(explain).fetch_all(&mut *connection);
    let lines = lines.await.expect("a plan");
    connection.close_on_drop();
    lines
}

async fn hold(pool: &PgPool, lock: String) -> Held {
    let mut transaction = pool.begin().await.expect("a transaction");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *transaction);
    locked.await.expect("a lock");
    Held::Postgres(transaction)
}
