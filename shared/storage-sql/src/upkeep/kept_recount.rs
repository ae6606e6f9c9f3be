//! The recount of what is kept: bytes of contents by sender and by app, and mailboxes of an app.
//!
//! An app is read in one snapshot, in parts: in the order of the keys, because messages have no index
//! by sender.

use std::collections::HashMap;

use domain::number::saturating;
use domain::{AppUsage, MessageId, ProfileId};
use storage::{Drift, Error, KeptRecount};
use uuid::Uuid;

use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, ReadView, transact};
use crate::db::isolation::Isolation;
use crate::db::pool::{Holder, Pool};
use crate::db::statement::Statement;
use crate::table::app_usage::{self, UsageRow, usage_sums};

/// Maximum number of rows read by one statement.
const ROWS: i64 = 5_000;
/// Maximum number of mailboxes whose bytes are counted in one pass over the messages of an app; bounds
/// the memory.
const MAILBOXES_MAX: usize = 500_000;

/// The next app behind `$1` that is not being erased, with its usage.
pub static NEXT_APP: Statement = Statement::new(
    "app.next_usage",
    1,
    concat!(
        "SELECT a.app_no, a.app_id, a.usage_state, ",
        usage_sums!(),
        " FROM app a WHERE a.app_no > $1 AND a.erase_step_ms = 0 ORDER BY a.app_no LIMIT 1"
    ),
);

/// The next messages of an app behind `$2`.
pub static MESSAGES: Statement = Statement::new(
    "message.kept",
    3,
    "SELECT m.message_id, m.size_bytes, m.sender_profile_id FROM message m
     WHERE m.app_no = $1 AND m.message_id > $2 ORDER BY m.message_id LIMIT $3",
);

/// The next mailboxes of an app behind `$2`.
pub static MAILBOXES: Statement = Statement::new(
    "mailbox.kept",
    3,
    "SELECT b.mailbox_id, b.profile_id, b.kept_bytes FROM mailbox b
     WHERE b.app_no = $1 AND b.mailbox_id > $2 ORDER BY b.mailbox_id LIMIT $3",
);

pub static REPAIR: Statement = Statement::new(
    "mailbox.repair_kept",
    3,
    "UPDATE mailbox SET kept_bytes = kept_bytes + $3 WHERE app_no = $1 AND mailbox_id = $2",
);

/// A message as far as it counts.
struct KeptMessage {
    message_id: MessageId,
    bytes: i64,
    sender: Option<ProfileId>,
}

/// A mailbox with the bytes that are kept of its owner.
struct KeptMailbox {
    mailbox_id: i64,
    stored: i64,
    counted: i64,
}

impl KeptMailbox {
    const fn drift(&self) -> i64 {
        self.counted - self.stored
    }
}

/// An app with its usage as it is stored.
struct KeptApp {
    app_no: i64,
    app_id: String,
    /// False if the usage is not counted in full.
    is_known: bool,
    usage: AppUsage,
}

/// A snapshot in which what an app keeps is counted, and the place in it.
pub struct UsageCount<DB: Backend> {
    view: ReadView<DB>,
    app_no: i64,
    place: CountPlace,
    counted: AppUsage,
}

/// The last row that was counted.
enum CountPlace {
    Message(MessageId),
    Mailbox(i64),
    End,
}

impl<DB: Backend> UsageCount<DB> {
    /// Begins a count.
    pub async fn begin(pool: &Pool<DB>, app_no: i64) -> Result<Self, Error> {
        Ok(Self {
            view: ReadView::of(pool, Holder::SERVICE, Isolation::Snapshot).await?,
            app_no,
            place: CountPlace::Message(MessageId::new(Uuid::nil())),
            counted: AppUsage::default(),
        })
    }

    /// Counts the next rows. Returns whether all are counted.
    pub async fn step(&mut self) -> Result<bool, Error> {
        let connection = self.view.connection();
        self.place = match self.place {
            CountPlace::Message(after) => {
                let part = messages(connection, self.app_no, after).await?;
                self.counted.bytes += part.iter().map(|message| message.bytes).sum::<i64>();
                match part.last() {
                    Some(last) => CountPlace::Message(last.message_id),
                    None => CountPlace::Mailbox(0),
                }
            }
            CountPlace::Mailbox(after) => {
                let part = mailboxes(connection, self.app_no, after).await?;
                self.counted.mailboxes += saturating::<i64, _>(part.len());
                match part.last() {
                    Some((_, last)) => CountPlace::Mailbox(last.mailbox_id),
                    None => CountPlace::End,
                }
            }
            CountPlace::End => CountPlace::End,
        };
        Ok(matches!(self.place, CountPlace::End))
    }

    /// Ends the count. Returns what the stored usage lacks.
    pub async fn end(mut self) -> Result<AppUsage, Error> {
        let app = next_app(self.view.connection(), self.app_no - 1).await?;
        self.view.end().await?;
        let stored = app.map_or(AppUsage::default(), |app| app.usage);
        Ok(self.counted - stored)
    }
}

/// Recounts what the next app behind `after` keeps, and repairs it if `repair` is set.
pub async fn run<DB: Backend>(
    pools: &Pools<DB>,
    after: Option<i64>,
    repair: bool,
) -> Result<KeptRecount, Error> {
    let mut view = ReadView::of(&pools.read, Holder::SERVICE, Isolation::Snapshot).await?;
    let app = next_app(view.connection(), after.unwrap_or(0)).await?;
    let Some(app) = app else {
        view.end().await?;
        return Ok(KeptRecount::default());
    };
    let mut drift = Vec::new();
    let mut counted = AppUsage::default();
    let mut place = Some(0);
    while let Some(last) = place {
        let (mut part, next) = part_of_mailboxes(view.connection(), app.app_no, last).await?;
        counted.bytes = count_messages(view.connection(), app.app_no, &mut part).await?;
        counted.mailboxes += saturating::<i64, _>(part.len());
        for (profile, mailbox) in part.into_iter().filter(|(_, it)| it.drift() != 0) {
            drift.push(recount_mailbox(&pools.write, &app, profile, &mailbox, repair).await?);
        }
        place = next;
    }
    view.end().await?;
    if app.is_known {
        drift.extend(recount_usage(&pools.write, &app, counted, repair).await?);
    }
    Ok(KeptRecount {
        drift,
        next: Some(app.app_no),
    })
}

/// Reads the next mailboxes behind `after`, as many as are counted in one pass. Returns the last one of
/// them, if there are others.
async fn part_of_mailboxes<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    mut after: i64,
) -> Result<(HashMap<ProfileId, KeptMailbox>, Option<i64>), Error> {
    let mut part = HashMap::new();
    while part.len() < MAILBOXES_MAX {
        let rows = mailboxes(connection, app_no, after).await?;
        let Some((_, last)) = rows.last() else {
            return Ok((part, None));
        };
        after = last.mailbox_id;
        part.extend(rows);
    }
    Ok((part, Some(after)))
}

/// Counts the messages of an app for those of the mailboxes that sent them. Returns the bytes of all.
async fn count_messages<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    mailboxes: &mut HashMap<ProfileId, KeptMailbox>,
) -> Result<i64, Error> {
    let mut bytes = 0;
    let mut after = MessageId::new(Uuid::nil());
    loop {
        let part = messages(connection, app_no, after).await?;
        let Some(last) = part.last() else {
            return Ok(bytes);
        };
        after = last.message_id;
        for message in part {
            bytes += message.bytes;
            let sender = message.sender.as_ref();
            if let Some(mailbox) = sender.and_then(|sender| mailboxes.get_mut(sender)) {
                mailbox.counted += message.bytes;
            }
        }
    }
}

/// Describes the drift of a mailbox. A repair adds it to the stored number: what is added meanwhile is
/// in neither count.
async fn recount_mailbox<DB: Backend>(
    write: &Pool<DB>,
    app: &KeptApp,
    profile: ProfileId,
    mailbox: &KeptMailbox,
    repair: bool,
) -> Result<Drift, Error> {
    if repair {
        let repair = BoundStatement::of(&REPAIR)
            .bind(app.app_no)
            .bind(mailbox.mailbox_id)
            .bind(mailbox.drift());
        transact(write, vec![repair]).await?;
    }
    Ok(Drift {
        app: app.app_id.clone(),
        profile: Some(profile),
        field: "kept_bytes",
        stored: mailbox.stored,
        counted: mailbox.counted,
        repaired: repair,
    })
}

/// Returns the drift of the usage of an app, as [`recount_mailbox`] does.
async fn recount_usage<DB: Backend>(
    write: &Pool<DB>,
    app: &KeptApp,
    counted: AppUsage,
    repair: bool,
) -> Result<Vec<Drift>, Error> {
    let stored = app.usage;
    let lacking = counted - stored;
    if repair && lacking != AppUsage::default() {
        transact(write, vec![adding(app.app_no, lacking)]).await?;
    }
    let numbers = [
        ("app_usage.bytes", stored.bytes, counted.bytes),
        ("app_usage.mailboxes", stored.mailboxes, counted.mailboxes),
    ];
    let drift = numbers
        .into_iter()
        .filter(|(_, stored, counted)| stored != counted);
    let drift = drift.map(|(field, stored, counted)| Drift {
        app: app.app_id.clone(),
        profile: None,
        field,
        stored,
        counted,
        repaired: repair,
    });
    Ok(drift.collect())
}

/// Returns the statement that adds to the usage of an app.
pub fn adding(app_no: i64, usage: AppUsage) -> BoundStatement {
    app_usage::ADD
        .rows([(app_no, UsageRow { slot: 0, usage })])
        .statement
}

async fn next_app<DB: Backend>(
    connection: &mut Connection<DB>,
    after: i64,
) -> Result<Option<KeptApp>, Error> {
    let next = BoundStatement::of(&NEXT_APP).bind(after);
    let Some(mut row) = connection.fetch_one(next).await? else {
        return Ok(None);
    };
    Ok(Some(KeptApp {
        app_no: row.int()?,
        app_id: row.text()?,
        is_known: row.int()? == 2,
        usage: row.usage()?,
    }))
}

async fn messages<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    after: MessageId,
) -> Result<Vec<KeptMessage>, Error> {
    let next = BoundStatement::of(&MESSAGES)
        .bind(app_no)
        .bind(after.uuid())
        .bind(ROWS);
    let rows = connection.fetch(next).await?.into_iter();
    let messages = rows.map(|mut row| {
        Ok(KeptMessage {
            message_id: row.message_id()?,
            bytes: row.int()?,
            sender: row.column("message", "sender_profile_id")?,
        })
    });
    messages.collect()
}

async fn mailboxes<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    after: i64,
) -> Result<Vec<(ProfileId, KeptMailbox)>, Error> {
    let next = BoundStatement::of(&MAILBOXES)
        .bind(app_no)
        .bind(after)
        .bind(ROWS);
    let rows = connection.fetch(next).await?.into_iter();
    let mailboxes = rows.map(|mut row| {
        let mailbox_id = row.int()?;
        let profile = row.profile_id("mailbox")?;
        let mailbox = KeptMailbox {
            mailbox_id,
            stored: row.int()?,
            counted: 0,
        };
        Ok((profile, mailbox))
    });
    mailboxes.collect()
}
