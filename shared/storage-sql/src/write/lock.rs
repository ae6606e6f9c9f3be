//! What a batch locks, in the one order that all batches keep: apps, messages, jobs, mailboxes.
//! What a decision needs is read by the statement that locks it, or by a later one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::operation::Footprint;
use domain::{AppId, Ledger, MessageId, MessageIdSource, Millis, Policy, ProfileId};
use storage::{Contention, Error};
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::{Column, Kind};
use crate::db::row::{envelope_columns, job_columns, mailbox_columns};
use crate::db::statement::Statement;

macro_rules! select_apps {
    () => {
        "SELECT a.app_no, a.settings, a.bulk_head, {xid},
             (SELECT s.epoch FROM server s WHERE s.server_no = 1) FROM r
         CROSS JOIN app a WHERE a.app_no = r.app_no AND a.app_id = r.app_id ORDER BY r.ord"
    };
}

const APP: [Column; 2] = [("app_no", Kind::Int), ("app_id", Kind::Text)];

static READ_APPS: Statement = Statement::with_rows(0, &APP, select_apps!());

static LOCK_APPS: Statement = Statement::with_rows(0, &APP, select_apps!()).locking("a");

/// Whether one of them is a message to everyone.
static BULK_MESSAGES: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "SELECT k.bulk_no FROM r
     CROSS JOIN bulk k WHERE k.app_no = r.app_no AND k.message_id = r.message_id LIMIT 1",
);

/// Those that have not expired at `$1`.
static LOCK_MESSAGES: Statement = Statement::with_rows(
    1,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    concat!(
        "SELECT m.app_no, ",
        envelope_columns!(),
        " FROM r
         CROSS JOIN message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
         AND m.expire_ms > $1 AND m.recall_ms IS NULL
         ORDER BY r.ord"
    ),
)
.locking("m");

static LOCK_JOBS: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("job_id", Kind::Uuid)],
    concat!(
        "SELECT j.app_no, ",
        job_columns!(),
        " FROM r
         CROSS JOIN send_job j WHERE j.app_no = r.app_no AND j.job_id = r.job_id
         ORDER BY r.ord"
    ),
)
.locking("j");

static CREATE_MAILBOXES: Statement = Statement::with_rows(
    1,
    &[("app_no", Kind::Int), ("profile_id", Kind::Text)],
    "INSERT INTO mailbox (app_no, profile_id, create_ms, bulk_joined)
     SELECT r.app_no, r.profile_id, $1, (
         SELECT a.bulk_head FROM app a WHERE a.app_no = r.app_no
     ) FROM r WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, profile_id) DO NOTHING",
);

static LOCK_MAILBOXES: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("profile_id", Kind::Text)],
    concat!(
        "SELECT b.app_no, b.profile_id, ",
        mailbox_columns!(),
        " FROM r
         CROSS JOIN mailbox b WHERE b.app_no = r.app_no AND b.profile_id = r.profile_id
         ORDER BY r.ord"
    ),
)
.locking("b");

pub type Ledgers = BTreeMap<i64, Ledger>;
pub type Footprints = BTreeMap<i64, Footprint>;
type Owners = BTreeSet<(i64, ProfileId)>;

/// The apps of a batch.
pub struct Apps {
    /// Their ledgers, with nothing in them yet.
    pub ledgers: Ledgers,
    /// The id of the transaction, where the database can be asked about it later.
    pub xid: Option<String>,
    /// The life of the database.
    pub epoch: Uuid,
}

/// Reads the apps, locks those that change, and opens their ledgers.
///
/// What changes a message to everyone changes its app. Whether a message is one never
/// changes, so that it can be looked up before anything is locked.
///
/// # Errors
/// [`Error::Unavailable`] if an app has another number: the database was restored since it
/// was asked for.
pub async fn apps<DB: Backend>(
    connection: &mut Connection<DB>,
    policy: &Policy,
    ids: &Arc<dyn MessageIdSource>,
    now: Millis,
    apps: &BTreeMap<i64, &AppId>,
    footprints: &Footprints,
) -> Result<Apps, Error> {
    let changes = footprints.values().any(|footprint| footprint.app);
    if changes {
        return open(connection, &LOCK_APPS, policy, ids, now, apps).await;
    }
    let read = open(connection, &READ_APPS, policy, ids, now, apps).await?;
    if names_bulk(connection, &read.ledgers, footprints).await? {
        return open(connection, &LOCK_APPS, policy, ids, now, apps).await;
    }
    Ok(read)
}

async fn open<DB: Backend>(
    connection: &mut Connection<DB>,
    statement: &'static Statement,
    policy: &Policy,
    ids: &Arc<dyn MessageIdSource>,
    now: Millis,
    apps: &BTreeMap<i64, &AppId>,
) -> Result<Apps, Error> {
    let mut call = BoundStatement::of(statement);
    for (app_no, app_id) in apps {
        call.push_row([(*app_no).into(), app_id.as_str().into()]);
    }
    let mut ledgers = Ledgers::new();
    let mut transaction = None;
    for mut row in connection.fetch(call).await? {
        let app_no = row.int()?;
        let ledger = Ledger::new(now, ids.clone(), policy.clone(), row.settings()?);
        ledgers.insert(app_no, ledger.with_bulk_head(row.int()?));
        transaction = Some((row.text_or_null()?, row.uuid()?));
    }
    match transaction {
        Some((xid, epoch)) if ledgers.len() == apps.len() => Ok(Apps {
            ledgers,
            xid,
            epoch,
        }),
        _ => Err(renumbered()),
    }
}

/// An app does not have the number that it was thought to have.
pub fn renumbered() -> Error {
    Error::Unavailable("the database was restored or replaced".into())
}

/// Whether a message that somebody wants to change is one to everyone.
async fn names_bulk<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &Ledgers,
    footprints: &Footprints,
) -> Result<bool, Error> {
    let mut call = BoundStatement::of(&BULK_MESSAGES);
    let sends_bulk = |app_no| ledgers.get(app_no).is_some_and(|it| it.bulk_head() > 0);
    for (app_no, footprint) in footprints.iter().filter(|(app_no, _)| sends_bulk(app_no)) {
        for message_id in &footprint.messages {
            call.push_row([(*app_no).into(), message_id.uuid().into()]);
        }
    }
    Ok(!call.is_empty() && !connection.fetch(call).await?.is_empty())
}

/// Locks the messages that somebody wants to change.
pub async fn messages<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut call = BoundStatement::of(&LOCK_MESSAGES).bind(now.0);
    for (app_no, footprint) in footprints {
        for message_id in &footprint.messages {
            call.push_row([(*app_no).into(), message_id.uuid().into()]);
        }
    }
    if call.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(call).await? {
        if let Some(ledger) = ledgers.get_mut(&row.int()?) {
            ledger.read_message(row.envelope()?);
        }
    }
    Ok(())
}

/// Locks the jobs of the footprints, and those that bring changes of the messages to those who
/// hold them.
pub async fn send_jobs<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut call = BoundStatement::of(&LOCK_JOBS);
    for (app_no, footprint) in footprints {
        let message = |id: &MessageId| ledgers.get(app_no)?.message(*id)?.segment;
        let of_messages = footprint.messages.iter().filter_map(message);
        let mut job_ids = footprint.jobs.clone();
        job_ids.extend(of_messages.map(|segment| segment.job_id));
        for job_id in job_ids {
            call.push_row([(*app_no).into(), job_id.uuid().into()]);
        }
    }
    if call.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(call).await? {
        if let Some(ledger) = ledgers.get_mut(&row.int()?) {
            ledger.read_job(row.job()?);
        }
    }
    Ok(())
}

/// Locks the mailboxes of the footprints, and those of everyone who may hold one of the
/// messages. Those that have not begun, begin.
///
/// # Errors
/// [`Error::Busy`] if somebody else began one of them in between: it would be locked out of
/// the one order.
pub async fn mailboxes<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut missing = owners(ledgers, footprints);
    lock(connection, ledgers, &mut missing).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let create = of_owners(BoundStatement::of(&CREATE_MAILBOXES).bind(now.0), &missing);
    if connection.execute(create).await? < missing.len() as u64 {
        return Err(Error::Busy(Contention::MailboxCreated));
    }
    lock(connection, ledgers, &mut missing).await
}

/// Locks and reads the mailboxes of those owners that have one, and takes these owners out.
async fn lock<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    owners: &mut Owners,
) -> Result<(), Error> {
    let call = of_owners(BoundStatement::of(&LOCK_MAILBOXES), owners);
    if call.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(call).await? {
        let (app_no, owner) = (row.int()?, row.profile_id("mailbox")?);
        let mailbox = row.mailbox()?;
        let key = (app_no, owner);
        owners.remove(&key);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_mailbox(key.1, mailbox);
        }
    }
    Ok(())
}

fn of_owners(mut call: BoundStatement, owners: &Owners) -> BoundStatement {
    for (app_no, owner) in owners {
        call.push_row([(*app_no).into(), owner.as_str().into()]);
    }
    call
}

/// By app, then by the bytes of the profile id: the order in which mailboxes are locked.
fn owners(ledgers: &Ledgers, footprints: &Footprints) -> Owners {
    let mut owners = BTreeSet::new();
    for (&app_no, footprint) in footprints {
        owners.extend(
            footprint
                .mailboxes
                .iter()
                .map(|owner| (app_no, owner.clone())),
        );
        let Some(ledger) = ledgers.get(&app_no) else {
            continue;
        };
        for message in footprint
            .messages
            .iter()
            .filter_map(|id| ledger.message(*id))
        {
            owners.extend(message.holders().map(|(owner, _)| (app_no, owner.clone())));
        }
    }
    owners
}
