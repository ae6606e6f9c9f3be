//! Reads what is due for the mailboxes of a batch, after they were locked: each is settled
//! before any operation is applied.

use std::collections::{BTreeSet, HashMap};

use domain::limits::{BATCH_ENTRIES_MAX, PART_ENTRIES};
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
/// expired entries of a box, [`PART_ENTRIES`] at the most. The entries of changed messages to
/// everyone are read with the other entries.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
) -> Result<(), Error> {
    let of = |statement| BoundStatement::of(statement).bind(now.0);
    let mut expired = of(&msgbox::READ_EXPIRED)
        .bind(saturating::<i64, _>(PART_ENTRIES - 1))
        .bind(Uuid::max());
    let mut mailboxes = BTreeSet::new();
    for (&app_no, ledger) in &*ledgers {
        for mailbox in ledger.mailboxes().filter(|mailbox| mailbox.may_expire(now)) {
            let mailbox_id = mailbox.mailbox_id;
            for msgbox in [Msgbox::Inbox, Msgbox::Sent] {
                expired.push_row([app_no.into(), mailbox_id.into(), msgbox.code().into()]);
            }
            mailboxes.insert((app_no, mailbox_id));
        }
    }
    read_pending(connection, now, ledgers).await?;
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

/// Reads the bulk events after the cursors of the mailboxes: so few after each that all mailboxes
/// together take no more entries than fit into a transaction, and [`PART_ENTRIES`] at the most.
async fn read_pending<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    ledgers: &mut Ledgers,
) -> Result<(), Error> {
    let cursors: Vec<(i64, i64)> = ledgers
        .iter()
        .flat_map(|(app_no, ledger)| late_cursors(ledger).map(|cursor| (*app_no, cursor)))
        .collect();
    if cursors.is_empty() {
        return Ok(());
    }
    let part = (BATCH_ENTRIES_MAX / cursors.len()).clamp(1, PART_ENTRIES);
    let mut pending = BoundStatement::of(&bulk::PENDING)
        .bind(now.0)
        .bind(saturating::<i64, _>(part - 1));
    let cursors: BTreeSet<(i64, i64)> = cursors.into_iter().collect();
    for (app_no, cursor) in cursors {
        pending.push_row([app_no.into(), cursor.into()]);
    }
    let mut read: HashMap<(i64, i64), usize> = HashMap::new();
    for mut row in connection.fetch(pending).await? {
        let (app_no, cursor) = (row.int()?, row.int()?);
        let event = row.pending_event()?;
        let after_cursor = read.entry((app_no, cursor)).or_default();
        *after_cursor += 1;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            let bulk_no = event.event.bulk_no;
            ledger.read_pending(event);
            if *after_cursor == part {
                ledger.read_pending_part(cursor, bulk_no);
            }
        }
    }
    Ok(())
}

/// Returns the bulk cursors of the mailboxes that are not up to date, one for each.
fn late_cursors(ledger: &Ledger) -> impl Iterator<Item = i64> {
    let cursors = ledger.mailboxes().map(|mailbox| mailbox.bulk_cursor);
    cursors.filter(|cursor| *cursor < ledger.bulk_head())
}
