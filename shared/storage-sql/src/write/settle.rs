//! What the mailboxes of a batch have to take before anything else happens to them, read
//! after they were locked.

use domain::bulk::{BulkEvent, BulkMessage, MessageChange, Pending};
use domain::{Audience, Ledger, MessageId, Millis};
use storage::Error;

use super::lock::Ledgers;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::error::corrupt;
use crate::db::row::{RowReader, entry_columns};
use crate::db::statement::Statement;

/// The events after one, with their messages, in one snapshot: a mailbox that takes an
/// event shows the version of that moment.
static PENDING: Statement = Statement::with_rows(
    1,
    &[("app_no", Kind::Int), ("bulk_cursor", Kind::Int)],
    "SELECT k.app_no, k.bulk_no, k.what, k.message_id, k.audience, k.expire_ms, m.send_ms,
         m.version
     FROM r CROSS JOIN bulk k
     LEFT JOIN message m ON m.app_no = k.app_no AND m.message_id = k.message_id
         AND m.recall_ms IS NULL
     WHERE k.app_no = r.app_no AND k.bulk_no > r.bulk_cursor AND k.expire_ms > $1
     ORDER BY k.app_no, k.bulk_no",
);

static EXPIRED: Statement = Statement::with_rows(
    1,
    &[("app_no", Kind::Int), ("mailbox_id", Kind::Int)],
    concat!(
        "SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM r
         CROSS JOIN msgbox e WHERE e.app_no = r.app_no AND e.mailbox_id = r.mailbox_id
         AND e.expire_ms <= $1"
    ),
);

static NEXT: Statement = Statement::with_rows(
    1,
    &[("app_no", Kind::Int), ("mailbox_id", Kind::Int)],
    "SELECT r.app_no, r.mailbox_id, (
         SELECT min(e.expire_ms) FROM msgbox e WHERE e.app_no = r.app_no
         AND e.mailbox_id = r.mailbox_id AND e.expire_ms > $1
     ) FROM r",
);

/// Reads what is due for the mailboxes of the ledgers, but for the entries of bulk messages
/// that have changed.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
) -> Result<(), Error> {
    let mut pending = BoundStatement::of(&PENDING).bind(now.0);
    let (mut expired, mut next) = (
        BoundStatement::of(&EXPIRED).bind(now.0),
        BoundStatement::of(&NEXT).bind(now.0),
    );
    for (&app_no, ledger) in &*ledgers {
        if let Some(cursor) = first_cursor(ledger) {
            pending.push_row([app_no.into(), cursor.into()]);
        }
        for mailbox in ledger.mailboxes().filter(|mailbox| mailbox.may_expire(now)) {
            for call in [&mut expired, &mut next] {
                call.push_row([app_no.into(), mailbox.mailbox_id.into()]);
            }
        }
    }
    if !pending.is_empty() {
        for mut row in connection.fetch(pending).await? {
            if let Some(ledger) = ledgers.get_mut(&row.int()?) {
                ledger.read_pending(event(&mut row)?);
            }
        }
    }
    if expired.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(expired).await? {
        let (app_no, mailbox_id) = (row.int()?, row.int()?);
        let entry = row.entry()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_entry(mailbox_id, entry);
        }
    }
    for mut row in connection.fetch(next).await? {
        let (app_no, mailbox_id) = (row.int()?, row.int()?);
        let next = row.millis_or_null()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_next_expiry(mailbox_id, next);
        }
    }
    Ok(())
}

/// After which event the first of the mailboxes goes on that have not taken all; none: all
/// have.
fn first_cursor(ledger: &Ledger) -> Option<i64> {
    let cursors = ledger.mailboxes().map(|mailbox| mailbox.bulk_cursor);
    cursors.min().filter(|cursor| *cursor < ledger.bulk_head())
}

fn event<DB: Backend>(row: &mut RowReader<DB>) -> Result<Pending, Error> {
    let (bulk_no, what, message_id) = (row.int()?, row.int()?, row.message_id()?);
    let (audience, expire_ms) = (row.int()?, row.millis()?);
    let strange = |column, code: i64, message_id: MessageId| {
        corrupt("bulk", column, &format_args!("{code} of {message_id}"))
    };
    let event = BulkEvent {
        bulk_no,
        change: MessageChange::from_code(what).ok_or_else(|| strange("what", what, message_id))?,
        message_id,
        audience: Audience::from_code(audience)
            .ok_or_else(|| strange("audience", audience, message_id))?,
        expire_ms,
    };
    let message = row.millis_or_null()?.zip(row.int_or_null()?);
    Ok(Pending {
        event,
        message: message.map(|(send_ms, version)| BulkMessage { send_ms, version }),
    })
}
