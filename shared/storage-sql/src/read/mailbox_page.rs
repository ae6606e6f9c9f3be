//! A scan over a mailbox.

use domain::limits::{COUNT_EXAMINED_MAX, COUNT_MAX, PAGE_BYTES_MAX};
use domain::mailbox::Counts;
use domain::page::{Count, Criteria, Direction, Key, Scan, SortField};
use domain::{Msgbox, ProfileId};
use storage::{Error, Item, MailboxPage, Position};
use uuid::Uuid;

use super::scan::{
    Gathered, NothingThere, Reach, capped, from_key, id_bound, message_criteria, message_matches,
};
use crate::backend::Backend;
use crate::connection::Connection;
use crate::fields::{Fields, entry_columns, envelope_columns};
use crate::rows::Call;
use crate::statement::Statement;

/// The rows in the order of sending: one seek in each box, merged. `$3` and `$4` are the
/// bounds in `inbox` and `sent`, `$5` and `$6` how far to look in each.
macro_rules! seen_by_create {
    ($beyond:literal, $direction:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT * FROM (
                     SELECT * FROM msgbox WHERE app_no = $1
                     AND mailbox_id = (SELECT mailbox_id FROM owner)
                     AND box = 0 AND message_id ",
            $beyond,
            " $3
                     ORDER BY message_id ",
            $direction,
            " LIMIT $5
                 ) AS inbox
                 UNION ALL
                 SELECT * FROM (
                     SELECT * FROM msgbox WHERE app_no = $1
                     AND mailbox_id = (SELECT mailbox_id FROM owner)
                     AND box = 1 AND message_id ",
            $beyond,
            " $4
                     ORDER BY message_id ",
            $direction,
            " LIMIT $6
                 ) AS sent
             ) AS boxes
             ORDER BY message_id ",
            $direction,
            ", box ",
            $direction,
            " LIMIT $7"
        )
    };
}

/// The rows in the order of change: one seek by `seq`, `$3`; `$4` to `$6` are not needed.
macro_rules! seen_by_update {
    ($beyond:literal, $direction:literal) => {
        concat!(
            "SELECT * FROM msgbox WHERE app_no = $1
             AND mailbox_id = (SELECT mailbox_id FROM owner) AND seq ",
            $beyond,
            " $3
             ORDER BY seq ",
            $direction,
            " LIMIT $7"
        )
    };
}

/// What a row `e` with its message `m` must be: `$8` to `$17`.
macro_rules! entry_matches {
    () => {
        concat!(
            "($8 IS NULL OR e.box = $8)
             AND ($9 IS NULL OR (e.read_ms IS NOT NULL) = ($9 = 1))
             AND ($10 IS NULL OR e.update_ms > $10) AND ",
            message_matches!("$11", "$12", "$13", "$14", "$15", "$16", "$17")
        )
    };
}

/// A page, with the mailbox's counters and the last row that was examined. Those columns
/// come with every row, and alone if there is none.
macro_rules! page {
    ($seen:expr, $order:literal, $reverse:literal) => {
        concat!(
            "WITH owner AS (
                 SELECT mailbox_id, seq, inbox_total, inbox_unread, sent_total FROM mailbox
                 WHERE app_no = $1 AND profile_id = $2
             ), seen AS (",
            $seen,
            "), edge AS (
                 SELECT message_id, box, seq FROM seen ORDER BY ",
            $reverse,
            " LIMIT 1
             ), matching AS (
                 SELECT ",
            entry_columns!(),
            ",
                     m.size_bytes, row_number() OVER (ORDER BY ",
            $order,
            ") AS place
                 FROM seen e JOIN message m ON m.app_no = $1 AND m.message_id = e.message_id
                 WHERE ",
            entry_matches!(),
            " ORDER BY place LIMIT $18 OFFSET $19
             ), fitting AS (
                 SELECT matching.*, sum(size_bytes) OVER (
                     ORDER BY place ROWS UNBOUNDED PRECEDING
                 ) - size_bytes AS bytes_before FROM matching
             )
             SELECT owner.seq, owner.inbox_total, owner.inbox_unread, owner.sent_total,
                 (SELECT count(*) FROM seen), edge.message_id, edge.box, edge.seq, ",
            entry_columns!(),
            ", ",
            envelope_columns!(),
            ", m.content_kind, m.digest,
                 CASE WHEN e.bytes_before = 0 OR e.bytes_before + e.size_bytes <= $20
                     THEN m.content END
             FROM owner LEFT JOIN edge ON true LEFT JOIN fitting e ON true
             LEFT JOIN message m ON m.app_no = $1 AND m.message_id = e.message_id
             ORDER BY e.place"
        )
    };
}

static NEWEST_FIRST: Statement = Statement::new(
    20,
    page!(
        seen_by_create!("<", "DESC"),
        "e.message_id DESC, e.box DESC",
        "message_id, box"
    ),
);
static OLDEST_FIRST: Statement = Statement::new(
    20,
    page!(
        seen_by_create!(">", "ASC"),
        "e.message_id, e.box",
        "message_id DESC, box DESC"
    ),
);
static LAST_CHANGED_FIRST: Statement =
    Statement::new(20, page!(seen_by_update!("<", "DESC"), "e.seq DESC", "seq"));
static FIRST_CHANGED_FIRST: Statement =
    Statement::new(20, page!(seen_by_update!(">", "ASC"), "e.seq", "seq DESC"));

/// How many rows match of the `$7` that are looked at, up to `$18`, and how many those
/// were.
static COUNT: Statement = Statement::new(
    18,
    concat!(
        "WITH owner AS (
             SELECT mailbox_id FROM mailbox WHERE app_no = $1 AND profile_id = $2
         ), seen AS (",
        seen_by_update!(">", "ASC"),
        "), matching AS (
             SELECT 1 FROM seen e JOIN message m ON m.app_no = $1 AND m.message_id = e.message_id
             WHERE ",
        entry_matches!(),
        " LIMIT $18
         )
         SELECT (SELECT count(*) FROM matching), (SELECT count(*) FROM seen)"
    ),
);

/// None if the mailbox has not begun.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    app_no: i64,
    owner: &ProfileId,
    scan: &Scan,
) -> Result<Option<MailboxPage>, Error> {
    let free = scan.criteria.is_box_only();
    let reach = Reach::of(scan, free && by_one_seek(scan));
    let bounds = bounds(scan);
    let nothing_there = bounds.is_err();
    let call = call(
        scan,
        app_no,
        owner,
        &bounds.unwrap_or(Bounds::NOWHERE),
        reach,
    );
    let mut rows = connection.fetch(call).await?.into_iter();
    let Some(mut first) = rows.next() else {
        return Ok(None);
    };
    let head = head(&mut first)?;
    let mut gathered = Gathered {
        examined: head.examined,
        edge: head.edge,
        ..Gathered::nothing()
    };
    gather(&mut gathered, &mut first)?;
    for mut row in rows {
        self::head(&mut row)?;
        gather(&mut gathered, &mut row)?;
    }
    if nothing_there {
        gathered = Gathered::nothing();
    }
    let count = if free {
        Some(count_of(&head.counts, scan.criteria.msgbox))
    } else if scan.count {
        Some(count(connection, app_no, owner, scan).await?)
    } else {
        None
    };
    let position = Position {
        epoch,
        seq: head.seq,
    };
    Ok(Some(MailboxPage {
        found: gathered.found(scan, reach, count),
        position,
    }))
}

/// Whether a scan of one box looks at that box alone.
fn by_one_seek(scan: &Scan) -> bool {
    scan.sort.field == SortField::CreateTime || scan.criteria.msgbox.is_none()
}

/// What comes with every row.
struct Head {
    seq: i64,
    counts: Counts,
    examined: i64,
    edge: Option<Key>,
}

fn head<DB: Backend>(row: &mut Fields<DB>) -> Result<Head, Error> {
    let (seq, counts, examined) = (row.int()?, row.counts()?, row.int()?);
    let (message_id, code, change) = (row.uuid_or_null()?, row.int_or_null()?, row.int_or_null()?);
    let edge = message_id
        .zip(code.and_then(Msgbox::from_code))
        .zip(change)
        .map(|((message_id, msgbox), change)| Key {
            message_id: domain::MessageId::new(message_id),
            msgbox,
            change,
        });
    Ok(Head {
        seq,
        counts,
        examined,
        edge,
    })
}

/// Takes the entry of a row, if the row has one and its content came along.
fn gather<DB: Backend>(gathered: &mut Gathered<Item>, row: &mut Fields<DB>) -> Result<(), Error> {
    if row.is_null_next() {
        return Ok(());
    }
    let entry = row.entry()?;
    match row.message()? {
        Ok(message) if !gathered.full => {
            let key = Key {
                message_id: entry.message_id,
                msgbox: entry.msgbox,
                change: entry.seq,
            };
            gathered.items.push((key, Item { entry, message }));
        }
        Ok(_) | Err(_) => gathered.full = true,
    }
    Ok(())
}

/// Where a scan goes on in each index, exclusive.
struct Bounds {
    inbox: Uuid,
    sent: Uuid,
    seq: i64,
}

impl Bounds {
    const NOWHERE: Self = Self {
        inbox: Uuid::nil(),
        sent: Uuid::nil(),
        seq: 0,
    };
}

fn bounds(scan: &Scan) -> Result<Bounds, NothingThere> {
    let direction = scan.sort.direction;
    let key = from_key(scan.seek)?;
    let bound = |msgbox: Msgbox| {
        let at = key.map(|(key, inclusive)| {
            // Entries of one message are ordered by box.
            let beyond = match direction {
                Direction::Ascending => msgbox > key.msgbox,
                Direction::Descending => msgbox < key.msgbox,
            };
            (
                key.message_id.uuid(),
                beyond || (inclusive && msgbox == key.msgbox),
            )
        });
        id_bound(direction, at)
    };
    let seq = match (key, direction) {
        (None, Direction::Ascending) => 0,
        (None, Direction::Descending) => i64::MAX,
        (Some((key, false)), _) => key.change,
        (Some((key, true)), Direction::Ascending) => key.change.saturating_sub(1),
        (Some((key, true)), Direction::Descending) => key.change.saturating_add(1),
    };
    Ok(Bounds {
        inbox: bound(Msgbox::Inbox),
        sent: bound(Msgbox::Sent),
        seq,
    })
}

fn call(scan: &Scan, app_no: i64, owner: &ProfileId, bounds: &Bounds, reach: Reach) -> Call {
    let statement = match (scan.sort.field, scan.sort.direction) {
        (SortField::CreateTime, Direction::Descending) => &NEWEST_FIRST,
        (SortField::CreateTime, Direction::Ascending) => &OLDEST_FIRST,
        (SortField::UpdateTime, Direction::Descending) => &LAST_CHANGED_FIRST,
        (SortField::UpdateTime, Direction::Ascending) => &FIRST_CHANGED_FIRST,
    };
    let mut call = Call::of(statement).with(app_no).with(owner.as_str());
    call = match scan.sort.field {
        SortField::CreateTime => call.with(bounds.inbox).with(bounds.sent),
        SortField::UpdateTime => call.with(bounds.seq).with(None::<i64>),
    };
    let look = |msgbox| match scan.criteria.msgbox {
        Some(only) if only != msgbox => 0,
        _ => reach.examined_max,
    };
    call = call
        .with(look(Msgbox::Inbox))
        .with(look(Msgbox::Sent))
        .with(reach.examined_max);
    entry_criteria(call, &scan.criteria)
        .with(reach.rows)
        .with(reach.skip)
        .with(i64::try_from(PAGE_BYTES_MAX).unwrap_or(i64::MAX))
}

/// Binds what [`entry_matches`] reads.
fn entry_criteria(call: Call, criteria: &Criteria) -> Call {
    let call = call
        .with(criteria.msgbox.map(Msgbox::code))
        .with(criteria.read.map(i64::from))
        .with(criteria.updated_after.map(|time| time.0));
    message_criteria(call, criteria)
}

/// The number that the counters know.
fn count_of(counts: &Counts, msgbox: Option<Msgbox>) -> Count {
    let matches = match msgbox {
        Some(msgbox) => counts.total(msgbox),
        None => counts.inbox_total + counts.sent_total,
    };
    Count {
        matches,
        capped: false,
    }
}

async fn count<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    scan: &Scan,
) -> Result<Count, Error> {
    let unused = None::<i64>;
    let call = Call::of(&COUNT)
        .with(app_no)
        .with(owner.as_str())
        .with(0_i64);
    let call = call
        .with(unused)
        .with(unused)
        .with(unused)
        .with(COUNT_EXAMINED_MAX);
    let call = entry_criteria(call, &scan.criteria).with(COUNT_MAX + 1);
    match connection.fetch(call).await?.into_iter().next() {
        Some(mut row) => {
            let (matches, examined) = (row.int()?, row.int()?);
            Ok(capped(matches, examined >= i64::from(COUNT_EXAMINED_MAX)))
        }
        None => Ok(capped(0, false)),
    }
}
