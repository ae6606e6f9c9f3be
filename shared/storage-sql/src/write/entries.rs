//! Reads the entries of a batch, after their mailboxes were locked.

use std::collections::{BTreeMap, HashMap};

use domain::limits::{PART_ENTRIES, SENT_DROPPED_MAX};
use domain::number::saturating;
use domain::operation::{EntryRange, Footprint};
use domain::{Ledger, Msgbox, ProfileId};
use storage::Error;
use uuid::Uuid;

use super::lock::{Footprints, Ledgers};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::{bulk, msgbox};

/// Reads the entries of the footprints, those of the locked messages in the boxes of their
/// named holders, and those of changed messages to everyone that mailboxes have yet to show.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut which_are_bulk = BoundStatement::of(&bulk::WHICH_ARE_BULK);
    let [named, parts, oldest] = statements(ledgers, footprints);
    for (statement, is_part) in [(named, false), (parts, true), (oldest, false)] {
        if statement.is_empty() {
            continue;
        }
        let mut read: HashMap<(i64, i64, Msgbox), usize> = HashMap::new();
        for mut row in connection.fetch(statement).await? {
            let (app_no, mailbox_id) = (row.int()?, row.int()?);
            let entry = row.entry()?;
            let of_box = read.entry((app_no, mailbox_id, entry.msgbox)).or_default();
            *of_box += 1;
            if let Some(ledger) = ledgers.get_mut(&app_no) {
                if is_part && *of_box == PART_ENTRIES {
                    ledger.read_part(mailbox_id, entry.msgbox);
                }
                if ledger.bulk_head() > 0 && entry.msgbox == Msgbox::Inbox {
                    which_are_bulk.push_row([app_no.into(), entry.message_id.uuid().into()]);
                }
                ledger.read_entry(mailbox_id, entry);
            }
        }
    }
    if which_are_bulk.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(which_are_bulk).await? {
        let (app_no, message_id) = (row.int()?, row.message_id()?);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_bulk_id(message_id);
        }
    }
    Ok(())
}

/// Returns the reads of a batch's entries: the named ones, parts of boxes, and the oldest ones of
/// boxes that are too full.
fn statements(ledgers: &Ledgers, footprints: &Footprints) -> [BoundStatement; 3] {
    let mut named = BoundStatement::of(&msgbox::READ);
    let mut parts = BoundStatement::of(&msgbox::READ_PARTS)
        .bind(saturating::<i64, _>(PART_ENTRIES - 1))
        .bind(Uuid::max());
    let mut demands = BTreeMap::new();
    for (&app_no, footprint) in footprints {
        let Some(ledger) = ledgers.get(&app_no) else {
            continue;
        };
        name_held(app_no, ledger, footprint, &mut named);
        name_changed(app_no, ledger, &mut named);
        for range in &footprint.entries {
            let (EntryRange::Named(owner, msgbox, _)
            | EntryRange::Part(owner, msgbox, _)
            | EntryRange::Overflow(owner, msgbox)) = range;
            let Some(mailbox) = ledger.mailbox(owner) else {
                continue;
            };
            let of_box = [
                app_no.into(),
                mailbox.mailbox_id.into(),
                msgbox.code().into(),
            ];
            match range {
                EntryRange::Named(_, _, message_ids) => {
                    for message_id in message_ids {
                        let [app_no, mailbox_id, msgbox] = of_box.clone();
                        named.push_row([app_no, mailbox_id, msgbox, message_id.uuid().into()]);
                    }
                }
                EntryRange::Part(_, _, until_seq) => {
                    let [app_no, mailbox_id, msgbox] = of_box;
                    parts.push_row([app_no, mailbox_id, msgbox, (*until_seq).into()]);
                }
                EntryRange::Overflow(..) => {
                    *demands.entry((app_no, owner, *msgbox)).or_insert(0_i64) += 1;
                }
            }
        }
    }
    let oldest = oldest(ledgers, &demands);
    [named, parts, oldest]
}

/// Adds the possible entries of messages to everyone that have changed since a mailbox was
/// last settled.
fn name_changed(app_no: i64, ledger: &Ledger, named: &mut BoundStatement) {
    for mailbox in ledger.mailboxes() {
        for message_id in ledger.changed_in_bulk(mailbox) {
            named.push_row([
                app_no.into(),
                mailbox.mailbox_id.into(),
                Msgbox::Inbox.code().into(),
                message_id.uuid().into(),
            ]);
        }
    }
}

/// Adds the possible entries of the messages that were locked.
fn name_held(app_no: i64, ledger: &Ledger, footprint: &Footprint, named: &mut BoundStatement) {
    for (message_id, holders) in &footprint.messages {
        let message = ledger.message(*message_id).into_iter();
        for (owner, msgbox) in message.flat_map(|message| message.boxes_of(*holders)) {
            let Some(mailbox) = ledger.mailbox(owner) else {
                continue;
            };
            named.push_row([
                app_no.into(),
                mailbox.mailbox_id.into(),
                msgbox.code().into(),
                message_id.uuid().into(),
            ]);
        }
    }
}

/// Returns the read of the oldest entries of boxes that are too full for the entries to come:
/// of each as many as the box with the greatest surplus must lose.
fn oldest(ledgers: &Ledgers, demands: &BTreeMap<(i64, &ProfileId, Msgbox), i64>) -> BoundStatement {
    let mut surplus_max = 0;
    let mut boxes = Vec::new();
    for (&(app_no, owner, msgbox), demand) in demands {
        let Some(ledger) = ledgers.get(&app_no) else {
            continue;
        };
        let Some(mailbox) = ledger.mailbox(owner) else {
            continue;
        };
        let room = i64::from(ledger.policy().max_box_messages);
        let surplus = mailbox.counts.total(msgbox) + demand - room;
        let surplus = surplus.min(demand * i64::from(SENT_DROPPED_MAX));
        if surplus > 0 {
            surplus_max = surplus_max.max(surplus);
            boxes.push((app_no, mailbox.mailbox_id, msgbox.code()));
        }
    }
    let mut read = BoundStatement::of(&msgbox::READ_OLDEST)
        .bind(surplus_max - 1)
        .bind(Uuid::max());
    for (app_no, mailbox_id, code) in boxes {
        read.push_row([app_no.into(), mailbox_id.into(), code.into()]);
    }
    read
}
