//! Locks the rows of a batch, in the one order that all batches keep: apps, conversations, messages,
//! send jobs, mailboxes. What a decision needs is read by the statement that locks it, or later.
//!
//! A batch never waits for a row: those that another transaction has locked are left out, and
//! noted in the ledger as held. Operations that need them are not applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ledger::HeldRow;
use domain::message::Holders;
use domain::number::saturating;
use domain::operation::Footprint;
use domain::segment::JobId;
use domain::{
    AppId, ConversationId, Ledger, MessageId, MessageIdSource, Millis, Now, Policy, ProfileId,
    UsageState,
};
use storage::Error;
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::table::{app, bulk, conversation, mailbox, message, send_job};

/// The ledgers of a batch, by the numbers of their apps.
pub type Ledgers = BTreeMap<i64, Ledger>;
/// The footprints of a batch, by the numbers of their apps.
pub type Footprints = BTreeMap<i64, Footprint>;
type Owners = BTreeSet<(i64, ProfileId)>;

/// The apps of a batch.
pub struct Apps {
    /// Their ledgers, still empty.
    pub ledgers: Ledgers,
    /// The id of the transaction; none on `SQLite`.
    pub xid: Option<String>,
    /// The epoch of the database.
    pub epoch: Uuid,
}

/// Reads the apps and opens their ledgers; if an operation changes one, locks those that are free.
///
/// A change of a message to everyone changes its app. Whether a message is one never changes,
/// and so may be looked up before anything is locked.
///
/// # Errors
/// [`Error::Unavailable`] if an app has another number: the database was restored since the
/// number was looked up.
pub async fn apps<DB: Backend>(
    connection: &mut Connection<DB>,
    policy: &Policy,
    ids: &Arc<dyn MessageIdSource>,
    now: Now,
    apps: &BTreeMap<i64, &AppId>,
    footprints: &Footprints,
) -> Result<Apps, Error> {
    let (mut ledgers, transaction) =
        ledgers_by(connection, &app::READ, policy, ids, now, apps).await?;
    let is_complete = ledgers.len() == apps.len();
    let (xid, epoch) = transaction.filter(|_| is_complete).ok_or_else(renumbered)?;
    let changes = footprints.values().any(|footprint| footprint.app);
    if changes || names_bulk(connection, &ledgers, footprints).await? {
        let locked = ledgers_by(connection, &app::LOCK, policy, ids, now, apps);
        let (mut locked, _) = locked.await?;
        for (app_no, ledger) in &mut ledgers {
            match locked.remove(app_no) {
                Some(locked) => *ledger = locked,
                None => ledger.hold(HeldRow::App),
            }
        }
    }
    Ok(Apps {
        ledgers,
        xid,
        epoch,
    })
}

/// Opens the ledgers of the apps that a statement returns; with the id of the transaction and the
/// epoch if there are any.
async fn ledgers_by<DB: Backend>(
    connection: &mut Connection<DB>,
    statement: &'static Statement,
    policy: &Policy,
    ids: &Arc<dyn MessageIdSource>,
    now: Now,
    apps: &BTreeMap<i64, &AppId>,
) -> Result<(Ledgers, Option<(Option<String>, Uuid)>), Error> {
    let mut read = BoundStatement::of(statement);
    for (app_no, app_id) in apps {
        read.push_row([(*app_no).into(), app_id.as_str().into()]);
    }
    let mut ledgers = Ledgers::new();
    let mut transaction = None;
    for mut row in connection.fetch(read).await? {
        let app_no = row.int()?;
        let ledger = Ledger::new(now, ids.clone(), policy.clone(), row.settings()?);
        let ledger = ledger.with_bulk_head(row.int()?);
        let mut ledger = ledger.with_last_revocation(row.int()?);
        if row.int()? > 0 {
            ledger.read_usage(UsageState::Counted);
        }
        ledgers.insert(app_no, ledger);
        transaction = Some((row.text_or_null()?, row.uuid()?));
    }
    Ok((ledgers, transaction))
}

/// Reads the usage of the apps that have a quota for it, as far as it is known. What transactions that
/// run at the same time add is not seen.
pub async fn usage<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
) -> Result<(), Error> {
    let mut read = BoundStatement::of(&app::READ_USAGE);
    for (app_no, ledger) in ledgers.iter().filter(|(_, it)| it.counts_usage()) {
        if ledger.policy().quotas.has_app_limits() {
            read.push_row([(*app_no).into()]);
        }
    }
    if read.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(read).await? {
        let app_no = row.int()?;
        let usage = UsageState::Known(row.usage()?);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_usage(usage);
        }
    }
    Ok(())
}

/// The error of an app that has another number than the one looked up.
pub fn renumbered() -> Error {
    Error::Unavailable("the database was restored or replaced".into())
}

/// Returns whether a footprint names a message to everyone.
async fn names_bulk<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &Ledgers,
    footprints: &Footprints,
) -> Result<bool, Error> {
    let mut look_up = BoundStatement::of(&bulk::IS_ANY_BULK);
    let sends_bulk = |app_no| ledgers.get(app_no).is_some_and(|it| it.bulk_head() > 0);
    for (app_no, footprint) in footprints.iter().filter(|(app_no, _)| sends_bulk(app_no)) {
        for message_id in footprint.messages.keys() {
            look_up.push_row([(*app_no).into(), message_id.uuid().into()]);
        }
    }
    Ok(!look_up.is_empty() && !connection.fetch(look_up).await?.is_empty())
}

/// Counts the live bulk messages of the apps that need the number.
pub async fn live_bulk<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut count = BoundStatement::of(&bulk::LIVE).bind(now.0);
    for (app_no, _) in footprints.iter().filter(|(_, it)| it.live_bulk) {
        count.push_row([(*app_no).into()]);
    }
    if count.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(count).await? {
        if let Some(ledger) = ledgers.get_mut(&row.int()?) {
            ledger.read_live_bulk(saturating(row.int()?));
        }
    }
    Ok(())
}

/// Locks the conversations of the footprints.
pub async fn conversations<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let ids = footprints.iter().flat_map(|(app_no, footprint)| {
        let ids = footprint.conversations.iter();
        ids.map(|id| (*app_no, *id))
    });
    let mut missing: BTreeSet<(i64, ConversationId)> = ids.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let of_ids = |statement, ids: &BTreeSet<(i64, ConversationId)>| {
        let mut statement = BoundStatement::of(statement);
        for (app_no, id) in ids {
            statement.push_row([(*app_no).into(), id.uuid().into()]);
        }
        statement
    };
    let lock = of_ids(&conversation::LOCK, &missing);
    for mut row in connection.fetch(lock).await? {
        let app_no = row.int()?;
        let conversation = row.conversation()?;
        missing.remove(&(app_no, conversation.conversation_id));
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_conversation(conversation);
        }
    }
    if missing.is_empty() || !DB::DIALECT.locks_rows {
        return Ok(());
    }
    let existing = of_ids(&conversation::EXISTING, &missing);
    for mut row in connection.fetch(existing).await? {
        let (app_no, id) = (row.int()?, ConversationId::new(row.uuid()?));
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.hold(HeldRow::Conversation(id));
        }
    }
    Ok(())
}

/// Locks the messages of the footprints.
pub async fn messages<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let ids = footprints.iter().flat_map(|(app_no, footprint)| {
        let ids = footprint.messages.keys();
        ids.map(|id| (*app_no, *id))
    });
    let mut missing: BTreeSet<(i64, MessageId)> = ids.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let of_messages = |statement, messages: &BTreeSet<(i64, MessageId)>| {
        let mut statement = BoundStatement::of(statement).bind(now.0);
        for (app_no, message_id) in messages {
            statement.push_row([(*app_no).into(), message_id.uuid().into()]);
        }
        statement
    };
    let lock = of_messages(&message::LOCK, &missing);
    for mut row in connection.fetch(lock).await? {
        let app_no = row.int()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            let envelope = row.envelope()?;
            missing.remove(&(app_no, envelope.message_id));
            let footprint = footprints.get(&app_no);
            let holders = footprint.and_then(|it| it.messages.get(&envelope.message_id));
            ledger.read_message(envelope, holders.copied().unwrap_or(Holders::None));
        }
    }
    if missing.is_empty() || !DB::DIALECT.locks_rows {
        return Ok(());
    }
    let existing = of_messages(&message::EXISTING, &missing);
    for mut row in connection.fetch(existing).await? {
        let (app_no, message_id) = (row.int()?, row.message_id()?);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.hold(HeldRow::Message(message_id));
        }
    }
    Ok(())
}

/// Locks the expired messages of the footprints, but for those that another transaction has locked:
/// they are forgotten later.
pub async fn expired_messages<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut lock = BoundStatement::of(&message::LOCK_EXPIRED).bind(now.0);
    for (app_no, footprint) in footprints {
        for message_id in &footprint.expired {
            lock.push_row([(*app_no).into(), message_id.uuid().into()]);
        }
    }
    if lock.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(lock).await? {
        let app_no = row.int()?;
        let envelope = row.envelope()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_expired(envelope);
        }
    }
    Ok(())
}

/// Locks the send jobs of the footprints, and those of the messages that were locked.
pub async fn send_jobs<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut missing: BTreeSet<(i64, JobId)> = BTreeSet::new();
    for (app_no, footprint) in footprints {
        let message = |id: &MessageId| ledgers.get(app_no)?.message(*id)?.segment;
        let of_messages = footprint.messages.keys().filter_map(message);
        let mut job_ids = footprint.jobs.clone();
        job_ids.extend(of_messages.map(|segment| segment.job_id));
        missing.extend(job_ids.into_iter().map(|job_id| (*app_no, job_id)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let of_jobs = |statement, jobs: &BTreeSet<(i64, JobId)>| {
        let mut statement = BoundStatement::of(statement);
        for (app_no, job_id) in jobs {
            statement.push_row([(*app_no).into(), job_id.uuid().into()]);
        }
        statement
    };
    let lock = of_jobs(&send_job::LOCK, &missing);
    for mut row in connection.fetch(lock).await? {
        let app_no = row.int()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            let job = row.job()?;
            missing.remove(&(app_no, job.job_id));
            ledger.read_job(job);
        }
    }
    if missing.is_empty() || !DB::DIALECT.locks_rows {
        return Ok(());
    }
    let existing = of_jobs(&send_job::EXISTING, &missing);
    for mut row in connection.fetch(existing).await? {
        let (app_no, job_id) = (row.int()?, JobId::new(row.uuid()?));
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.hold(HeldRow::SendJob(job_id));
        }
    }
    Ok(())
}

/// Locks the mailboxes of the footprints, and those of all holders of the messages and of all
/// participants of the conversations. Mailboxes
/// that do not exist are created, unless another transaction is creating them; but not those of
/// holders, nor of recipients that the policy does not permit.
pub async fn mailboxes<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut missing = owners(ledgers, footprints);
    lock_free(connection, ledgers, &mut missing).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let mut held = Owners::new();
    if DB::DIALECT.locks_rows {
        let existing = of_owners(BoundStatement::of(&mailbox::EXISTING), &missing);
        for mut row in connection.fetch(existing).await? {
            let key = (row.int()?, row.profile_id("mailbox")?);
            missing.remove(&key);
            held.insert(key);
        }
    }
    let to_create = created(ledgers, footprints);
    for (app_no, owner) in missing.extract_if(.., |owner| !to_create.contains(owner)) {
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_no_mailbox(owner);
        }
    }
    if !missing.is_empty() {
        let create = BoundStatement::of(&mailbox::CREATE).bind(now.0);
        for mut row in connection.fetch(of_owners(create, &missing)).await? {
            if let Some(ledger) = ledgers.get_mut(&row.int()?) {
                ledger.read_created();
            }
        }
        lock_free(connection, ledgers, &mut missing).await?;
    }
    for (app_no, owner) in held.into_iter().chain(missing) {
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.hold(HeldRow::Mailbox(owner));
        }
    }
    Ok(())
}

/// Locks a row as soon as another transaction has released it. Returns whether it exists.
///
/// # Errors
/// [`Error::Busy`] if it is not released in time.
pub async fn wait_for<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    row: &HeldRow,
) -> Result<bool, Error> {
    let of = |statement| BoundStatement::of(statement).bind(app_no);
    let wait = match row {
        HeldRow::App => of(&app::WAIT),
        HeldRow::Conversation(id) => of(&conversation::WAIT).bind(id.uuid()),
        HeldRow::Message(id) => of(&message::WAIT).bind(id.uuid()),
        HeldRow::SendJob(id) => of(&send_job::WAIT).bind(id.uuid()),
        HeldRow::Mailbox(owner) => of(&mailbox::WAIT).bind(owner.as_str()),
    };
    Ok(connection.fetch_one(wait).await?.is_some())
}

/// Locks and reads the mailboxes that exist and are free, and removes their owners from `owners`.
async fn lock_free<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    owners: &mut Owners,
) -> Result<(), Error> {
    let lock = of_owners(BoundStatement::of(&mailbox::LOCK), owners);
    if lock.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(lock).await? {
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

fn of_owners(mut statement: BoundStatement, owners: &Owners) -> BoundStatement {
    for (app_no, owner) in owners {
        statement.push_row([(*app_no).into(), owner.as_str().into()]);
    }
    statement
}

/// Returns the owners of the mailboxes to be locked, in the order of locking: by app, then by
/// the bytes of the profile id.
fn owners(ledgers: &Ledgers, footprints: &Footprints) -> Owners {
    let mut owners = BTreeSet::new();
    for (&app_no, footprint) in footprints {
        owners.extend(footprint.owners().map(|owner| (app_no, owner.clone())));
        let Some(ledger) = ledgers.get(&app_no) else {
            continue;
        };
        for (message_id, holders) in &footprint.messages {
            let message = ledger.message(*message_id).into_iter();
            let boxes = message.flat_map(|message| message.boxes_of(*holders));
            owners.extend(boxes.map(|(owner, _)| (app_no, owner.clone())));
        }
        let conversations = footprint.conversations.iter();
        let conversations = conversations.filter_map(|id| ledger.conversation(*id));
        let participants = conversations.flat_map(|it| &it.participants);
        owners.extend(participants.map(|owner| (app_no, owner.clone())));
        let expired = footprint.expired.iter();
        let senders = expired.filter_map(|id| ledger.expired_sender(*id));
        owners.extend(senders.map(|sender| (app_no, sender.clone())));
    }
    owners
}

/// Returns the owners of the mailboxes to be created if they do not exist.
fn created(ledgers: &Ledgers, footprints: &Footprints) -> Owners {
    let mut owners = Owners::new();
    for (&app_no, footprint) in footprints {
        let keyed = |owner: &ProfileId| (app_no, owner.clone());
        let ledger = ledgers.get(&app_no);
        if ledger.is_some_and(|ledger| ledger.policy().allow_unknown_recipients) {
            owners.extend(footprint.owners().map(keyed));
        } else {
            owners.extend(footprint.mailboxes.iter().map(keyed));
        }
    }
    owners
}
