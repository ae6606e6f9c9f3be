//! The sweep: settles mailboxes with expired entries that no call has settled, and deletes
//! expired rows, in small transactions. One replica at a time sweeps, under a lease.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::limits::{EXPIRED_KEPT_MS, PART_ENTRIES, REVOCATION_KEPT_MS, SWEEP_LEASE_MS};
use domain::number::saturating;
use domain::operation::{ExpireMessages, SettleMailbox};
use domain::{Action, AppId, MessageId, MessageKind, Millis, Now, Operation};
use storage::Error;
use uuid::Uuid;

use crate::clock;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, transact, wrap};
use crate::db::dialect::Kind;
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::write::lanes::Lanes;

/// Maximum number of mailboxes settled in one step.
const MAILBOXES: i64 = 100;
/// Maximum number of expired entries deleted in one step, exceeded only for a single mailbox;
/// bounds the wait of other writers.
const ENTRIES: usize = 500;
/// Maximum number of rows deleted in one transaction.
const ROWS: i64 = 500;
/// Timeout of forgetting the messages of one step.
const FORGET_WITHIN: Duration = Duration::from_secs(5);
/// Number of the sweep's row in table `lease`.
pub const SWEEP_LEASE: i64 = 1;

/// Acquires or extends the lease, unless another holder has it beyond `$4`. One that ends after
/// `$3` was taken by a clock that was wrong.
pub static TAKE: Statement = Statement::new(
    "lease.take",
    4,
    "INSERT INTO lease (lease_no, holder, until_ms) VALUES ($1, $2, $3)
     ON CONFLICT (lease_no) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
     WHERE lease.holder = excluded.holder OR lease.until_ms <= $4 OR lease.until_ms > $3",
);

/// Mailboxes that may hold expired entries, with the number of those, `$3` at most.
pub static DUE: Statement = Statement::new(
    "mailbox.due",
    3,
    "SELECT b.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = b.app_no), b.profile_id, (
         SELECT count(*) FROM (
             SELECT 1 FROM msgbox e WHERE e.app_no = b.app_no AND e.mailbox_id = b.mailbox_id
             AND e.expire_ms <= $1 LIMIT $3
         ) AS expired
     ) FROM mailbox b WHERE b.next_expiry_ms <= $1
     ORDER BY b.next_expiry_ms LIMIT $2",
);

pub static EXPIRED: Statement = Statement::new(
    "message.expired",
    2,
    "SELECT m.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = m.app_no), m.message_id,
         m.kind
     FROM message m WHERE m.expire_ms <= $1 ORDER BY m.expire_ms LIMIT $2",
);

pub static DELETE_TALLIES: Statement = Statement::with_rows(
    "bulk_tally.delete_expired",
    0,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "DELETE FROM bulk_tally WHERE (app_no, message_id) IN (SELECT r.app_no, r.message_id FROM r)",
);

pub static DELETE_BULK: Statement = Statement::new(
    "bulk.delete_expired",
    2,
    "DELETE FROM bulk WHERE (app_no, bulk_no) IN (
         SELECT k.app_no, k.bulk_no FROM bulk k WHERE k.expire_ms <= $1 LIMIT $2
     )",
);

pub static DELETE_CHUNKS: Statement = Statement::new(
    "send_chunk.delete_expired",
    2,
    "DELETE FROM send_chunk WHERE (app_no, job_id, run_no, chunk_no) IN (
         SELECT c.app_no, c.job_id, c.run_no, c.chunk_no FROM send_job j
         JOIN send_chunk c ON c.app_no = j.app_no AND c.job_id = j.job_id
         WHERE j.expire_ms <= $1 LIMIT $2
     )",
);

/// Deletes expired jobs whose chunks have been deleted.
pub static DELETE_JOBS: Statement = Statement::new(
    "send_job.delete_expired",
    2,
    "DELETE FROM send_job WHERE (app_no, job_id) IN (
         SELECT j.app_no, j.job_id FROM send_job j WHERE j.expire_ms <= $1 AND NOT EXISTS (
             SELECT 1 FROM send_chunk c WHERE c.app_no = j.app_no AND c.job_id = j.job_id
         ) LIMIT $2
     )",
);

pub static DELETE_REQUESTS: Statement = Statement::new(
    "request.delete_expired",
    2,
    "DELETE FROM request WHERE (app_no, request_key) IN (
         SELECT q.app_no, q.request_key FROM request q WHERE q.expire_ms <= $1 LIMIT $2
     )",
);

/// Deletes revocations, unless they were renewed meanwhile.
pub static DELETE_REVOCATIONS: Statement = Statement::new(
    "revocation.delete_expired",
    2,
    "DELETE FROM revocation WHERE before_ms + 0 <= $1 AND (app_no, profile_id) IN (
         SELECT v.app_no, v.profile_id FROM revocation v WHERE v.before_ms <= $1 LIMIT $2
     )",
);

/// The sweep's lease, as far as this replica holds it.
pub struct Lease {
    holder: Uuid,
    until_ms: AtomicI64,
}

impl Lease {
    pub fn new() -> Self {
        Self {
            holder: Uuid::new_v4(),
            until_ms: AtomicI64::new(0),
        }
    }

    /// The id by which this replica holds the lease.
    pub const fn holder(&self) -> Uuid {
        self.holder
    }

    /// Returns whether this replica holds the lease, for half of its duration at least. Acquires or
    /// extends it if need be, and then stores the time.
    pub async fn hold<DB: Backend>(&self, pool: &Pool<DB>, now: Now) -> Result<bool, Error> {
        let lasts = now.ms.after(SWEEP_LEASE_MS / 2).0;
        let until_ms = now.ms.after(SWEEP_LEASE_MS).0;
        let held = self.until_ms.load(Ordering::Relaxed);
        if (lasts..=until_ms).contains(&held) {
            return Ok(true);
        }
        let statement = BoundStatement::of(&TAKE)
            .bind(SWEEP_LEASE)
            .bind(self.holder)
            .bind(until_ms)
            .bind(now.ms.0);
        let held = transact(pool, vec![statement]).await? > 0;
        let until_ms = if held { until_ms } else { 0 };
        self.until_ms.store(until_ms, Ordering::Relaxed);
        if held {
            clock::store(pool, now).await?;
        }
        Ok(held)
    }
}

/// Returns the mailboxes to settle in the next step.
pub async fn due<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
) -> Result<Vec<(AppKey, SettleMailbox)>, Error> {
    let entries_max = saturating::<i64, _>(ENTRIES);
    let statement = BoundStatement::of(&DUE)
        .bind(now.0)
        .bind(MAILBOXES)
        .bind(entries_max);
    let mut due = Vec::new();
    let mut entries = 0;
    for mut row in connection.fetch(statement).await? {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        let owner = row.profile_id("mailbox")?;
        let expired = usize::try_from(row.int()?).unwrap_or(ENTRIES);
        entries += expired;
        if entries > ENTRIES && !due.is_empty() {
            break;
        }
        due.push((app, SettleMailbox { owner, expired }));
    }
    Ok(due)
}

/// Deletes rows that expired more than [`EXPIRED_KEPT_MS`] ago, by when no mailbox holds entries
/// of them. Returns whether there may be more.
pub async fn delete<DB: Backend>(
    read: &Pool<DB>,
    pool: &Pool<DB>,
    lanes: &Lanes,
    now: Millis,
) -> Result<bool, Error> {
    let before = now.after(-EXPIRED_KEPT_MS).0;
    let mut expired = Connection::of(read).await?;
    let rows = expired.fetch(BoundStatement::of(&EXPIRED).bind(before).bind(ROWS));
    let rows = rows.await?;
    drop(expired);
    let mut tallies = BoundStatement::of(&DELETE_TALLIES);
    let mut more = rows.len() >= usize::try_from(ROWS).unwrap_or(0);
    let mut messages: BTreeMap<i64, (AppId, Vec<MessageId>)> = BTreeMap::new();
    for mut row in rows {
        let (app_no, app_id) = (row.int()?, row.app_id()?);
        let message_id = row.message_id()?;
        if row.int()? == MessageKind::Bulk.code() {
            tallies.push_row([app_no.into(), message_id.uuid().into()]);
        }
        let (_, message_ids) = messages.entry(app_no).or_insert((app_id, Vec::new()));
        message_ids.push(message_id);
    }
    if !tallies.is_empty() {
        transact(pool, vec![tallies]).await?;
    }
    forget(lanes, messages).await?;
    let others = [
        (&DELETE_BULK, before),
        (&DELETE_CHUNKS, before),
        (&DELETE_JOBS, before),
        (&DELETE_REVOCATIONS, now.after(-REVOCATION_KEPT_MS).0),
    ];
    for (statement, before) in others {
        let statement = BoundStatement::of(statement).bind(before).bind(ROWS);
        more |= transact(pool, vec![statement]).await? >= u64::try_from(ROWS).unwrap_or(0);
    }
    let requests = BoundStatement::of(&DELETE_REQUESTS).bind(before).bind(ROWS);
    more |= delete_requests(pool.clone(), requests).await? >= u64::try_from(ROWS).unwrap_or(0);
    Ok(more)
}

/// Forgets messages through the lanes, which count them for their senders and apps.
async fn forget(
    lanes: &Lanes,
    messages: BTreeMap<i64, (AppId, Vec<MessageId>)>,
) -> Result<(), Error> {
    let deadline = Instant::now() + FORGET_WITHIN;
    for (app_no, (app_id, message_ids)) in messages {
        for part in message_ids.chunks(PART_ENTRIES) {
            let app = AppKey {
                app_no,
                app_id: app_id.clone(),
            };
            let message_ids = part.to_vec();
            let operation = Operation::from(Action::from(ExpireMessages { message_ids }));
            lanes.execute(app, operation, deadline.into()).await??;
        }
    }
    Ok(())
}

/// Deletes requests, whose index by expiry yields bitmaps only. In a task of its own: it runs to its
/// end even if the caller goes away.
async fn delete_requests<DB: Backend>(
    pool: Pool<DB>,
    statement: BoundStatement,
) -> Result<u64, Error> {
    let work = tokio::spawn(async move {
        let mut transaction = Transaction::begin_with_bitmaps(&pool).await?;
        let deleted = transaction.connection().execute(statement).await?;
        transaction.commit().await.map_err(wrap::<DB>)?;
        Ok(deleted)
    });
    work.await.map_err(|error| Error::Internal(error.into()))?
}
