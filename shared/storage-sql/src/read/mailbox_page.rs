//! Pages of a mailbox, by keyset pagination.

pub mod statements;

use domain::limits::{COUNT_EXAMINED_MAX, COUNT_MAX, PAGE_BYTES_MAX};
use domain::mailbox::Counts;
use domain::number::saturating;
use domain::page::{Count, Criteria, Direction, Key, Scan, SortField};
use domain::{Entry, MessageId, Msgbox, ProfileId};
use storage::{Error, FeedOffset, Item, MailboxPage};
use uuid::Uuid;

use super::ReadOutcome;
use super::items::Messages;
use super::scan::{PastEnd, ScanLimits, ScannedRows, capped, from_key, id_bound, message_criteria};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::row::RowReader;
use crate::table::mailbox::MailboxReadiness;
use statements::{ALL, COUNT, MATCHING, one_box};

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    messages: Messages<'_>,
    owner: &ProfileId,
    scan: &Scan,
) -> Result<ReadOutcome<MailboxPage>, Error> {
    let limits = ScanLimits::of(scan, all_match(scan));
    let bounds = bounds(scan);
    let is_past_end = bounds.is_err();
    let bounds = bounds.unwrap_or(MailboxBounds::NOWHERE);
    let statement =
        page_statement(scan, messages.app_no, owner, &bounds, limits).bind(messages.now.0);
    let mut found = None;
    let mut entries = Vec::new();
    for mut row in connection.fetch(statement).await? {
        if row.is_null_next() {
            found = Some(PageHeader::take(&mut row)?);
        } else {
            entries.push(row.entry()?);
        }
    }
    let Some(head) = found else {
        return Ok(ReadOutcome::Missing);
    };
    if head.state == MailboxReadiness::Due {
        return Ok(ReadOutcome::Due);
    }
    entries.sort_by(|one, other| scan.sort.compare(&key(one), &key(other)));
    let (count, counted) = if scan.criteria.is_box_only() {
        (Some(count_of(&head.counts, scan.criteria.msgbox)), 0)
    } else if scan.count {
        let (count, examined) = count(connection, messages.app_no, owner, scan).await?;
        (Some(count), examined)
    } else {
        (None, 0)
    };
    let scanned = if is_past_end {
        ScannedRows::empty()
    } else {
        collect(connection, messages, &head, entries).await?
    };
    let page = MailboxPage {
        // Where all rows match, the statement does not count them.
        examined: scanned.items.len().max(saturating(scanned.examined))
            + saturating::<usize, _>(counted),
        found: scanned.found(scan, limits, count),
        offset: FeedOffset {
            epoch,
            seq: head.seq,
        },
    };
    Ok(ReadOutcome::of(head.state, page))
}

/// Returns whether every examined row matches, so that no criteria need be checked: a scan of one
/// box in the order of creation examines that box only.
fn all_match(scan: &Scan) -> bool {
    scan.criteria.is_box_only()
        && (scan.sort.field == SortField::CreateTime || scan.criteria.msgbox.is_none())
}

/// The mailbox row of a page, with the extent of the scan.
struct PageHeader {
    seq: i64,
    counts: Counts,
    state: MailboxReadiness,
    examined: i64,
    edge: Option<Key>,
}

impl PageHeader {
    fn take<DB: Backend>(row: &mut RowReader<DB>) -> Result<Self, Error> {
        // The column of the box is null, which marks this row.
        row.int_or_null()?;
        let message_id = row.uuid_or_null()?;
        let (seq, counts, state) = (row.int()?, row.counts()?, row.mailbox_readiness()?);
        let examined = row.int_or_null()?.unwrap_or(0);
        let msgbox = row.int_or_null()?.and_then(Msgbox::from_code);
        let place = message_id.zip(msgbox).zip(row.int_or_null()?);
        Ok(Self {
            seq,
            counts,
            state,
            examined,
            edge: place.map(|((message_id, msgbox), change)| Key {
                message_id: MessageId::new(message_id),
                msgbox,
                change,
            }),
        })
    }
}

async fn collect<DB: Backend>(
    connection: &mut Connection<DB>,
    messages: Messages<'_>,
    head: &PageHeader,
    entries: Vec<Entry>,
) -> Result<ScannedRows<Item>, Error> {
    let items = messages.items(connection, entries, saturating(PAGE_BYTES_MAX));
    let items = items.await?;
    let keyed = items.found.into_iter().map(|item| (key(&item.entry), item));
    Ok(ScannedRows {
        items: keyed.collect(),
        is_full: !items.remaining.is_empty(),
        examined: head.examined,
        edge: head.edge,
    })
}

const fn key(entry: &Entry) -> Key {
    Key {
        message_id: entry.message_id,
        msgbox: entry.msgbox,
        change: entry.seq,
    }
}

/// Exclusive bounds at which a scan continues, for each index.
struct MailboxBounds {
    inbox: Uuid,
    sent: Uuid,
    seq: i64,
}

impl MailboxBounds {
    const NOWHERE: Self = Self {
        inbox: Uuid::nil(),
        sent: Uuid::nil(),
        seq: 0,
    };

    const fn of(&self, msgbox: Msgbox) -> Uuid {
        match msgbox {
            Msgbox::Inbox => self.inbox,
            Msgbox::Sent => self.sent,
        }
    }
}

fn bounds(scan: &Scan) -> Result<MailboxBounds, PastEnd> {
    let direction = scan.sort.direction;
    let key = from_key(scan.seek)?;
    let bound = |msgbox: Msgbox| {
        let at = key.map(|(key, inclusive)| {
            // A message that its owner sent to himself has an entry in each box, ordered by box.
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
    Ok(MailboxBounds {
        inbox: bound(Msgbox::Inbox),
        sent: bound(Msgbox::Sent),
        seq,
    })
}

fn page_statement(
    scan: &Scan,
    app_no: i64,
    owner: &ProfileId,
    bounds: &MailboxBounds,
    limits: ScanLimits,
) -> BoundStatement {
    let all_match = all_match(scan);
    if let (true, SortField::CreateTime, Some(msgbox)) =
        (all_match, scan.sort.field, scan.criteria.msgbox)
    {
        return BoundStatement::of(one_box(scan.sort.direction))
            .bind(app_no)
            .bind(owner.as_str())
            .bind(bounds.of(msgbox))
            .bind(msgbox.code())
            .bind(limits.rows)
            .bind(limits.skip);
    }
    let statements = if all_match { &ALL } else { &MATCHING };
    let mut statement = BoundStatement::of(statements.of(scan.sort))
        .bind(app_no)
        .bind(owner.as_str());
    statement = match scan.sort.field {
        SortField::CreateTime => statement.bind(bounds.inbox).bind(bounds.sent),
        SortField::UpdateTime => statement.bind(bounds.seq).bind(None::<i64>),
    };
    let look = |msgbox| match scan.criteria.msgbox {
        Some(only) if only != msgbox => 0,
        _ => limits.examined_max,
    };
    statement = statement.bind(look(Msgbox::Inbox)).bind(look(Msgbox::Sent));
    if all_match {
        return statement.bind(limits.rows).bind(limits.skip);
    }
    entry_criteria(statement.bind(limits.examined_max), &scan.criteria)
        .bind(limits.rows)
        .bind(limits.skip)
}

/// Binds the parameters of the criteria of [`MATCHING`] and [`COUNT`]: `$8` to `$17`.
fn entry_criteria(statement: BoundStatement, criteria: &Criteria) -> BoundStatement {
    let statement = statement
        .bind(criteria.msgbox.map(Msgbox::code))
        .bind(criteria.read.map(i64::from))
        .bind(criteria.updated_after.map(|time| time.0));
    message_criteria(statement, criteria)
}

/// Returns the number of entries by the counters of the mailbox.
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

/// Counts the matching rows, and returns the number of rows examined as well.
async fn count<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    scan: &Scan,
) -> Result<(Count, i64), Error> {
    let unused = None::<i64>;
    let statement = BoundStatement::of(&COUNT)
        .bind(app_no)
        .bind(owner.as_str())
        .bind(0_i64);
    let statement = statement
        .bind(unused)
        .bind(unused)
        .bind(unused)
        .bind(COUNT_EXAMINED_MAX);
    let statement = entry_criteria(statement, &scan.criteria).bind(COUNT_MAX + 1);
    match connection.fetch_one(statement).await? {
        Some(mut row) => {
            let (matches, examined) = (row.int()?, row.int()?);
            let count = capped(matches, examined >= i64::from(COUNT_EXAMINED_MAX));
            Ok((count, examined))
        }
        None => Ok((capped(0, false), 0)),
    }
}
