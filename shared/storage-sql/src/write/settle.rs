//! Reads what is due for the mailboxes of a batch, after they were locked: each is settled
//! before any operation is applied.

use std::collections::{BTreeSet, HashMap};

use domain::limits::PART_ENTRIES;
use domain::number::saturating;
use domain::{Ledger, Millis, Msgbox};
use storage::Error;
use uuid::Uuid;

use super::lock::Ledgers;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::{bulk, msgbox};

/// Reads the pending bulk events, the expired entries and the next expiry of each mailbox: of the
/// expired entries of a box, [`PART_ENTRIES`] at the most. The entries of changed messages to everyone are read with the other entries.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
) -> Result<(), Error> {
    let of = |statement| BoundStatement::of(statement).bind(now.0);
    let mut pending = of(&bulk::PENDING);
    let mut expired = of(&msgbox::READ_EXPIRED)
        .bind(saturating::<i64, _>(PART_ENTRIES - 1))
        .bind(Uuid::max());
    let mut mailboxes = BTreeSet::new();
    for (&app_no, ledger) in &*ledgers {
        if let Some(cursor) = first_cursor(ledger) {
            pending.push_row([app_no.into(), cursor.into()]);
        }
        for mailbox in ledger.mailboxes().filter(|mailbox| mailbox.may_expire(now)) {
            let mailbox_id = mailbox.mailbox_id;
            for msgbox in [Msgbox::Inbox, Msgbox::Sent] {
                expired.push_row([app_no.into(), mailbox_id.into(), msgbox.code().into()]);
            }
            mailboxes.insert((app_no, mailbox_id));
        }
    }
    if !pending.is_empty() {
        for mut row in connection.fetch(pending).await? {
            if let Some(ledger) = ledgers.get_mut(&row.int()?) {
                ledger.read_pending(row.pending_event()?);
            }
        }
    }
    if expired.is_empty() {
        return Ok(());
    }
    let mut read: HashMap<(i64, i64, Msgbox), usize> = HashMap::new();
    for mut row in connection.fetch(expired).await? {
        let (app_no, mailbox_id) = (row.int()?, row.int()?);
        let entry = row.entry()?;
        let of_box = read.entry((app_no, mailbox_id, entry.msgbox)).or_default();
        *of_box += 1;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            if *of_box == PART_ENTRIES {
                ledger.read_expired_part(mailbox_id);
                mailboxes.remove(&(app_no, mailbox_id));
            }
            ledger.read_entry(mailbox_id, entry);
        }
    }
    if mailboxes.is_empty() {
        return Ok(());
    }
    let mut next = of(&msgbox::NEXT_EXPIRY);
    for (app_no, mailbox_id) in mailboxes {
        next.push_row([app_no.into(), mailbox_id.into()]);
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

/// Returns the least bulk cursor of the mailboxes; none if all are up to date.
fn first_cursor(ledger: &Ledger) -> Option<i64> {
    let cursors = ledger.mailboxes().map(|mailbox| mailbox.bulk_cursor);
    cursors.min().filter(|cursor| *cursor < ledger.bulk_head())
}
