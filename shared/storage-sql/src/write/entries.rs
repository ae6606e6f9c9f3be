//! The entries that a batch is about, read after their mailboxes were locked.

use std::collections::BTreeMap;

use domain::limits::SENT_DROPPED_MAX;
use domain::operation::{EntryRange, Footprint};
use domain::{Ledger, Msgbox, ProfileId};
use storage::Error;
use uuid::Uuid;

use super::lock::{Footprints, Ledgers};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::row::entry_columns;
use crate::db::statement::Statement;

static NAMED: Statement = Statement::with_rows(
    0,
    &[
        ("app_no", Kind::Int),
        ("mailbox_id", Kind::Int),
        ("box", Kind::Int),
        ("message_id", Kind::Uuid),
    ],
    concat!(
        "SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM r
         CROSS JOIN msgbox e WHERE e.app_no = r.app_no AND e.mailbox_id = r.mailbox_id
         AND e.box = r.box AND e.message_id = r.message_id"
    ),
);

static ALL: Statement = Statement::with_rows(
    0,
    &[
        ("app_no", Kind::Int),
        ("mailbox_id", Kind::Int),
        ("box", Kind::Int),
    ],
    concat!(
        "SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM r
         CROSS JOIN msgbox e WHERE e.app_no = r.app_no AND e.mailbox_id = r.mailbox_id
         AND e.box = r.box"
    ),
);

/// The oldest `$1` and one more of each box; all of a box that has fewer: `$2` is an id
/// that no message reaches. Where to stop is found once for each box.
static OLDEST: Statement = Statement::with_rows(
    2,
    &[
        ("app_no", Kind::Int),
        ("mailbox_id", Kind::Int),
        ("box", Kind::Int),
    ],
    concat!(
        ", due AS MATERIALIZED (
             SELECT r.app_no, r.mailbox_id, r.box, coalesce((
                 SELECT o.message_id FROM msgbox o WHERE o.app_no = r.app_no
                 AND o.mailbox_id = r.mailbox_id AND o.box = r.box
                 ORDER BY o.message_id LIMIT 1 OFFSET $1
             ), $2) AS last FROM r
         )
         SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM due CROSS JOIN msgbox e WHERE e.app_no = due.app_no AND e.mailbox_id = due.mailbox_id
         AND e.box = due.box AND e.message_id <= due.last"
    ),
);

/// Which of them are messages to everyone.
static BULK: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "SELECT DISTINCT k.app_no, k.message_id FROM r
     CROSS JOIN bulk k WHERE k.app_no = r.app_no AND k.message_id = r.message_id",
);

/// Reads the entries of the footprints, those that are to show what has become of messages
/// to everyone, and all that the holders of the messages hold of
/// them.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let (mut named, mut all) = (BoundStatement::of(&NAMED), BoundStatement::of(&ALL));
    let mut demands = BTreeMap::new();
    for (&app_no, footprint) in footprints {
        let Some(ledger) = ledgers.get(&app_no) else {
            continue;
        };
        name_held(app_no, ledger, footprint, &mut named);
        name_changed(app_no, ledger, &mut named);
        for range in &footprint.entries {
            let id = |owner: &ProfileId| ledger.mailbox(owner).map(|mailbox| mailbox.mailbox_id);
            match range {
                EntryRange::Named(owner, msgbox, message_ids) => {
                    let Some(mailbox_id) = id(owner) else {
                        continue;
                    };
                    for message_id in message_ids {
                        named.push_row([
                            app_no.into(),
                            mailbox_id.into(),
                            msgbox.code().into(),
                            message_id.uuid().into(),
                        ]);
                    }
                }
                EntryRange::All(owner, msgbox) => {
                    let Some(mailbox_id) = id(owner) else {
                        continue;
                    };
                    all.push_row([app_no.into(), mailbox_id.into(), msgbox.code().into()]);
                }
                EntryRange::Overflow(owner, msgbox) => {
                    *demands.entry((app_no, owner, *msgbox)).or_insert(0_i64) += 1;
                }
            }
        }
    }
    let oldest = oldest(ledgers, &demands);
    let mut bulk = BoundStatement::of(&BULK);
    for call in [named, all, oldest] {
        if call.is_empty() {
            continue;
        }
        for mut row in connection.fetch(call).await? {
            let (app_no, mailbox_id) = (row.int()?, row.int()?);
            let entry = row.entry()?;
            if let Some(ledger) = ledgers.get_mut(&app_no) {
                if ledger.bulk_head() > 0 && entry.msgbox == Msgbox::Inbox {
                    bulk.push_row([app_no.into(), entry.message_id.uuid().into()]);
                }
                ledger.read_entry(mailbox_id, entry);
            }
        }
    }
    if bulk.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(bulk).await? {
        let (app_no, message_id) = (row.int()?, row.message_id()?);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_bulk_id(message_id);
        }
    }
    Ok(())
}

/// Names what may be held of the messages to everyone that have changed since.
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

/// Names what may be held of the messages that were locked.
fn name_held(app_no: i64, ledger: &Ledger, footprint: &Footprint, named: &mut BoundStatement) {
    for message in footprint
        .messages
        .iter()
        .filter_map(|id| ledger.message(*id))
    {
        for (owner, msgbox) in message.holders() {
            let Some(mailbox) = ledger.mailbox(owner) else {
                continue;
            };
            named.push_row([
                app_no.into(),
                mailbox.mailbox_id.into(),
                msgbox.code().into(),
                message.message_id.uuid().into(),
            ]);
        }
    }
}

/// The boxes that are too full for what is to come, and the most that one of them must
/// lose.
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
    let mut call = BoundStatement::of(&OLDEST)
        .bind(surplus_max - 1)
        .bind(Uuid::max());
    for (app_no, mailbox_id, code) in boxes {
        call.push_row([app_no.into(), mailbox_id.into(), code.into()]);
    }
    call
}
