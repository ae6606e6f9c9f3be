//! Orphans: messages that all of their holders have deleted. The sweep finds them by the tombstones
//! of the entries, in the order of their times, and lets them expire.
//!
//! Messages to everyone and to segments are none: their recipients are not listed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::message::Envelope;
use domain::number::saturating;
use domain::operation::{Action, ExpireOrphans};
use domain::{MessageId, MessageKind, Millis, Operation};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, transact};
use crate::db::dialect::Kind;
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::table::message::envelope_columns;
use crate::upkeep::sweep::{Lease, SWEEP_LEASE};
use crate::write::lanes::Lanes;

/// Maximum number of tombstones in one step.
const TOMBSTONES: usize = 100;
/// Number of holders from which on those of further messages are looked up by another statement.
const HOLDERS: usize = 2_000;
/// Age from which on tombstones are looked at, in milliseconds: by then their transactions have
/// ended.
const AGE_MIN_MS: i64 = 60_000;
/// Time between two notes of the progress, in milliseconds.
const NOTED_MS: i64 = 60_000;
/// Timeout of one operation.
const EXPIRE_WITHIN: Duration = Duration::from_secs(5);

/// The next `$6` tombstones behind (`$1`, `$2`, `$3`, `$4`) until `$5`.
pub static SINCE: Statement = Statement::new(
    "msgbox_deleted.since",
    6,
    "SELECT d.delete_ms, d.app_no, d.mailbox_id, d.seq, d.message_id FROM msgbox_deleted d
     WHERE (d.delete_ms, d.app_no, d.mailbox_id, d.seq) > ($1, CAST($2 AS int), $3, $4)
         AND d.delete_ms <= $5
     ORDER BY d.delete_ms, d.app_no, d.mailbox_id, d.seq LIMIT $6",
);

/// The messages to listed recipients that have not expired at `$1` and are not of kind `$2`.
pub static LISTED: Statement = Statement::with_rows(
    "message.listed",
    2,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    concat!(
        "SELECT m.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = m.app_no), ",
        envelope_columns!(),
        " FROM r
         CROSS JOIN {each message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
             AND m.expire_ms + 0 > $1 AND m.kind <> $2 AND m.job_id IS NULL}"
    ),
);

/// The messages of which profiles have an entry in the box.
pub static HELD: Statement = Statement::with_rows(
    "msgbox.held",
    0,
    &[
        ("app_no", Kind::Int),
        ("message_id", Kind::Uuid),
        ("box", Kind::Int),
        ("profile_id", Kind::Text),
    ],
    ", named AS MATERIALIZED (
         SELECT r.app_no, r.message_id, r.box, b.mailbox_id FROM r
         CROSS JOIN {each mailbox b WHERE b.app_no + 0 = r.app_no
             AND b.profile_id = r.profile_id}
     )
     SELECT DISTINCT n.app_no, n.message_id FROM named n
     CROSS JOIN {each msgbox e WHERE e.app_no = n.app_no AND e.mailbox_id = n.mailbox_id
         AND e.box = n.box AND e.message_id = n.message_id}",
);

/// The time up to which the tombstones were looked at.
pub static PROGRESS: Statement = Statement::new(
    "lease.progress",
    1,
    "SELECT l.orphans_ms FROM lease l WHERE l.lease_no = $1",
);

/// Notes that time, as the holder of the lease.
pub static NOTE: Statement = Statement::new(
    "lease.note",
    3,
    "UPDATE lease SET orphans_ms = $3 WHERE lease_no = $1 AND holder = $2",
);

/// Place of a tombstone in the order of their times.
#[derive(Debug, Clone, Copy)]
struct TombstonePlace {
    time_ms: i64,
    app_no: i64,
    mailbox_id: i64,
    seq: i64,
}

/// The search for orphans on the replica that sweeps.
pub struct OrphanSearch(Mutex<Option<SearchState>>);

#[derive(Debug, Clone, Copy)]
struct SearchState {
    /// The last tombstone that was looked at.
    after: TombstonePlace,
    /// Progress that is stored.
    noted_ms: i64,
}

/// Orphans among the messages of the next tombstones.
struct OrphanPart {
    operations: Vec<(AppKey, Operation)>,
    after: TombstonePlace,
    /// True if there may be more tombstones.
    is_full: bool,
}

impl OrphanSearch {
    /// A search that begins where the last one has noted its progress.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Forgets the progress: another replica has the lease.
    pub fn forget(&self) {
        *self.state() = None;
    }

    /// Lets the orphans of the next tombstones expire. Returns whether there may be more.
    pub async fn step<DB: Backend>(
        &self,
        read: &Pool<DB>,
        write: &Pool<DB>,
        lanes: &Lanes,
        lease: &Lease,
        now: Millis,
    ) -> Result<bool, Error> {
        let mut connection = Connection::of(read).await?;
        let state = *self.state();
        let state = match state {
            Some(state) => state,
            None => noted(&mut connection).await?,
        };
        let until = now.after(-AGE_MIN_MS);
        let part = next_part(&mut connection, state.after, until, now).await?;
        drop(connection);
        execute_all(lanes, part.operations).await?;
        let mut next = SearchState {
            after: part.after,
            ..state
        };
        if !part.is_full && until.0 - state.noted_ms >= NOTED_MS {
            let note = BoundStatement::of(&NOTE)
                .bind(SWEEP_LEASE)
                .bind(lease.holder())
                .bind(until.0);
            transact(write, vec![note]).await?;
            next.noted_ms = until.0;
        }
        *self.state() = Some(next);
        Ok(part.is_full)
    }

    fn state(&self) -> MutexGuard<'_, Option<SearchState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn noted<DB: Backend>(connection: &mut Connection<DB>) -> Result<SearchState, Error> {
    let progress = BoundStatement::of(&PROGRESS).bind(SWEEP_LEASE);
    let row = connection.fetch_one(progress).await?;
    let noted_ms = row.map_or(Ok(0), |mut row| row.int())?;
    let after = TombstonePlace {
        time_ms: noted_ms,
        app_no: 0,
        mailbox_id: 0,
        seq: 0,
    };
    Ok(SearchState { after, noted_ms })
}

async fn next_part<DB: Backend>(
    connection: &mut Connection<DB>,
    mut after: TombstonePlace,
    until: Millis,
    now: Millis,
) -> Result<OrphanPart, Error> {
    let tombstones = BoundStatement::of(&SINCE)
        .bind(after.time_ms)
        .bind(after.app_no)
        .bind(after.mailbox_id)
        .bind(after.seq)
        .bind(until.0)
        .bind(saturating::<i64, _>(TOMBSTONES));
    let rows = connection.fetch(tombstones).await?;
    let is_full = rows.len() >= TOMBSTONES;
    let mut deleted = BTreeSet::new();
    for mut row in rows {
        after = TombstonePlace {
            time_ms: row.int()?,
            app_no: row.int()?,
            mailbox_id: row.int()?,
            seq: row.int()?,
        };
        deleted.insert((after.app_no, row.message_id()?));
    }
    Ok(OrphanPart {
        operations: among(connection, &deleted, now).await?,
        after,
        is_full,
    })
}

/// Returns the operations that let the orphans among messages expire.
pub async fn among<DB: Backend>(
    connection: &mut Connection<DB>,
    message_ids: &BTreeSet<(i64, MessageId)>,
    now: Millis,
) -> Result<Vec<(AppKey, Operation)>, Error> {
    let listed = listed(connection, message_ids, now).await?;
    let held = held(connection, &listed).await?;
    let orphans = listed
        .into_iter()
        .filter(|(app, message)| !held.contains(&(app.app_no, message.message_id)));
    let mut operations: Vec<(AppKey, Vec<MessageId>)> = Vec::new();
    for (app, message) in orphans {
        match operations.iter_mut().find(|(known, _)| *known == app) {
            Some((_, message_ids)) => message_ids.push(message.message_id),
            None => operations.push((app, vec![message.message_id])),
        }
    }
    let operations = operations.into_iter().map(|(app, message_ids)| {
        let expiry = Action::from(ExpireOrphans { message_ids });
        (app, Operation::from(expiry))
    });
    Ok(operations.collect())
}

/// Reads those of the messages that list their recipients.
async fn listed<DB: Backend>(
    connection: &mut Connection<DB>,
    message_ids: &BTreeSet<(i64, MessageId)>,
    now: Millis,
) -> Result<Vec<(AppKey, Envelope)>, Error> {
    if message_ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut read = BoundStatement::of(&LISTED)
        .bind(now.0)
        .bind(MessageKind::Bulk.code());
    for (app_no, message_id) in message_ids {
        read.push_row([(*app_no).into(), message_id.uuid().into()]);
    }
    let rows = connection.fetch(read).await?;
    let messages = rows.into_iter().map(|mut row| {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        Ok((app, row.envelope()?))
    });
    messages.collect()
}

/// Returns those of the messages that a holder has in the box.
async fn held<DB: Backend>(
    connection: &mut Connection<DB>,
    messages: &[(AppKey, Envelope)],
) -> Result<BTreeSet<(i64, MessageId)>, Error> {
    let mut held = BTreeSet::new();
    let mut messages = messages.iter().peekable();
    while messages.peek().is_some() {
        let mut read = BoundStatement::of(&HELD);
        while read.rows < HOLDERS
            && let Some((app, message)) = messages.next()
        {
            for (owner, msgbox) in message.holders() {
                read.push_row([
                    app.app_no.into(),
                    message.message_id.uuid().into(),
                    msgbox.code().into(),
                    owner.as_str().into(),
                ]);
            }
        }
        for mut row in connection.fetch(read).await? {
            held.insert((row.int()?, row.message_id()?));
        }
    }
    Ok(held)
}

/// Executes the operations. Messages of one that can never succeed stay until they expire by
/// themselves.
async fn execute_all(lanes: &Lanes, operations: Vec<(AppKey, Operation)>) -> Result<(), Error> {
    for (app, operation) in operations {
        let app_no = app.app_no;
        let deadline = Instant::now() + EXPIRE_WITHIN;
        let expired = lanes.execute(app, operation, deadline.into()).await;
        match expired.and_then(|verdict| Ok(verdict?)) {
            Ok(_) => {}
            Err(error @ (Error::Corrupt { .. } | Error::Internal(_))) => tracing::warn!(
                mailbox.app_no = app_no,
                error.source = error.chain(),
                "sweep.orphans_not_expired"
            ),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
