//! Pages of the messages of an app, by keyset pagination.
//!
//! Parameters of the statements:
//!
//! | parameters | meaning |
//! | --- | --- |
//! | `$1` | app |
//! | `$2`, `$3`, `$4` | bounds: message id; in the order of change also id and time of a change |
//! | `$5` | maximum number of rows examined |
//! | `$6` to `$14` | criteria |
//! | `$15`, `$16` | rows returned, and rows skipped |
//! | `$17` | maximum number of bytes of content |
//! | `$18`, in `COUNT` `$16` | current time |

use domain::limits::{COUNT_EXAMINED_MAX, COUNT_MAX, PAGE_BYTES_MAX};
use domain::number::saturating;
use domain::page::{Count, Criteria, Direction, Key, Scan, SortField};
use domain::{Message, MessageId, Millis, Msgbox};
use storage::{Error, RepositoryPage};
use uuid::Uuid;

use super::scan::{
    PastEnd, ScanLimits, ScannedRows, capped, from_key, id_bound, message_criteria, message_matches,
};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::row::RowReader;
use crate::db::statement::Statement;
use crate::table::message::envelope_columns;

/// The rows in the order of creation that have not expired at `$now`, behind `$2`; `$3` and `$4`
/// are unused.
macro_rules! seen_by_create {
    ($beyond:literal, $direction:literal, $now:literal) => {
        concat!(
            "SELECT app_no, message_id, update_ms FROM message
             WHERE app_no = $1 AND message_id ",
            $beyond,
            " $2 AND recall_ms IS NULL AND expire_ms + 0 > ",
            $now,
            "
             ORDER BY message_id ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// The rows in the order of change: a merge of two index ranges. Unchanged messages are in the
/// order of their ids, behind `$2`; changed ones have an index of their own, behind `$4`, `$3`.
macro_rules! seen_by_update {
    ($beyond:literal, $direction:literal, $now:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT * FROM (
                     SELECT app_no, message_id, update_ms FROM message
                     WHERE app_no = $1 AND version = 1 AND message_id ",
            $beyond,
            " $2
                     AND recall_ms IS NULL AND expire_ms + 0 > ",
            $now,
            "
                     ORDER BY message_id ",
            $direction,
            " LIMIT $5
                 ) AS unchanged
                 UNION ALL
                 SELECT * FROM (
                     SELECT app_no, message_id, update_ms FROM message
                     WHERE app_no = $1 AND version > 1
                     AND (update_ms, message_id) ",
            $beyond,
            " ($4, $3)
                     AND recall_ms IS NULL AND expire_ms + 0 > ",
            $now,
            "
                     ORDER BY update_ms ",
            $direction,
            ", message_id ",
            $direction,
            " LIMIT $5
                 ) AS changed
             ) AS messages
             ORDER BY update_ms ",
            $direction,
            ", message_id ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// The criteria of a message `m`: `$6` to `$14`.
macro_rules! matches {
    () => {
        concat!(
            "($6 = 0 OR m.sender_profile_id IS NULL)
             AND ($7 IS NULL OR m.update_ms > $7) AND ",
            message_matches!(
                "m.recipients",
                "$8",
                "$9",
                "$10",
                "$11",
                "$12",
                "$13",
                "$14"
            )
        )
    };
}

/// A page of the rows `$seen`. Every row repeats the number of rows examined and the last of
/// them; if nothing matches, it is the only row.
///
/// - `seen`: the next rows, `$5` at most, so that the cost does not depend on what matches;
/// - `edge`: the last of them, from which the next page goes on;
/// - `matching`: those that meet the criteria, numbered in the order of the page;
/// - `fitting`: the same with the bytes of the contents before each. A content that exceeds the
///   limit is null: the page ends before it, and such a content is not even read. The first one
///   is returned whatever its size.
macro_rules! page {
    ($seen:expr, $order:literal, $reverse:literal) => {
        concat!(
            "WITH seen AS (",
            $seen,
            "), edge AS (
                 SELECT message_id, update_ms FROM seen ORDER BY ",
            $reverse,
            " LIMIT 1
             ), matching AS (
                 SELECT s.app_no, s.message_id, m.size_bytes,
                     row_number() OVER (ORDER BY ",
            $order,
            ") AS place
                 FROM seen s CROSS JOIN message m
                 WHERE m.app_no = s.app_no AND m.message_id = s.message_id AND ",
            matches!(),
            " ORDER BY place LIMIT $15 OFFSET $16
             ), fitting AS (
                 SELECT matching.*, sum(size_bytes) OVER (
                     ORDER BY place ROWS UNBOUNDED PRECEDING
                 ) - size_bytes AS bytes_before FROM matching
             )
             SELECT (SELECT count(*) FROM seen), edge.message_id, edge.update_ms, ",
            envelope_columns!(),
            ", m.content_kind, m.digest,
                 CASE WHEN f.bytes_before = 0 OR f.bytes_before + f.size_bytes <= $17
                     THEN m.content END
             FROM edge LEFT JOIN fitting f ON true
             LEFT JOIN message m ON m.app_no = f.app_no AND m.message_id = f.message_id
             ORDER BY f.place"
        )
    };
}

pub static NEWEST_FIRST: Statement = Statement::new(
    "message.page_newest",
    18,
    page!(
        seen_by_create!("<", "DESC", "$18"),
        "m.message_id DESC",
        "message_id"
    ),
);
pub static OLDEST_FIRST: Statement = Statement::new(
    "message.page_oldest",
    18,
    page!(
        seen_by_create!(">", "ASC", "$18"),
        "m.message_id",
        "message_id DESC"
    ),
);
pub static LAST_CHANGED_FIRST: Statement = Statement::new(
    "message.page_last_changed",
    18,
    page!(
        seen_by_update!("<", "DESC", "$18"),
        "m.update_ms DESC, m.message_id DESC",
        "update_ms, message_id"
    ),
);
pub static FIRST_CHANGED_FIRST: Statement = Statement::new(
    "message.page_first_changed",
    18,
    page!(
        seen_by_update!(">", "ASC", "$18"),
        "m.update_ms, m.message_id",
        "update_ms DESC, message_id DESC"
    ),
);

/// The number of matching rows among the newest `$5`, `$15` at most, and the number examined.
pub static COUNT: Statement = Statement::new(
    "message.count_matches",
    16,
    concat!(
        "WITH seen AS (",
        seen_by_create!("<", "DESC", "$16"),
        "), matching AS (
             SELECT 1 FROM seen s CROSS JOIN message m
             WHERE m.app_no = s.app_no AND m.message_id = s.message_id AND ",
        matches!(),
        " LIMIT $15
         )
         SELECT (SELECT count(*) FROM matching), (SELECT count(*) FROM seen)"
    ),
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    scan: &Scan,
    now: Millis,
) -> Result<RepositoryPage, Error> {
    let limits = ScanLimits::of(scan, scan.criteria == Criteria::default());
    let mut scanned = ScannedRows::empty();
    if let Ok(bounds) = bounds(scan) {
        for mut row in connection
            .fetch(page_statement(scan, app_no, &bounds, limits).bind(now.0))
            .await?
        {
            scanned.examined = row.int()?;
            scanned.edge = Some(key(row.message_id()?, row.int()?));
            collect(&mut scanned, &mut row)?;
        }
    }
    let count = if scan.count {
        Some(count(connection, app_no, scan, now).await?)
    } else {
        None
    };
    Ok(scanned.found(scan, limits, count))
}

/// Collects the message of a row, if the row has one and its content fits.
fn collect<DB: Backend>(
    scanned: &mut ScannedRows<Message>,
    row: &mut RowReader<DB>,
) -> Result<(), Error> {
    if row.is_null_next() {
        return Ok(());
    }
    match row.message()? {
        Ok(message) if !scanned.is_full => {
            let envelope = &message.envelope;
            scanned
                .items
                .push((key(envelope.message_id, envelope.update_ms.0), message));
        }
        Ok(_) | Err(_) => scanned.is_full = true,
    }
    Ok(())
}

const fn key(message_id: MessageId, change: i64) -> Key {
    Key {
        message_id,
        msgbox: Msgbox::Inbox,
        change,
    }
}

/// Exclusive bounds at which a scan continues: by id, and by time of change and id.
struct RepositoryBounds {
    id: Uuid,
    changed_id: Uuid,
    changed_ms: i64,
}

fn bounds(scan: &Scan) -> Result<RepositoryBounds, PastEnd> {
    let direction = scan.sort.direction;
    let Some((key, inclusive)) = from_key(scan.seek)? else {
        let changed_ms = match direction {
            Direction::Ascending => i64::MIN,
            Direction::Descending => i64::MAX,
        };
        let id = id_bound(direction, None);
        return Ok(RepositoryBounds {
            id,
            changed_id: id,
            changed_ms,
        });
    };
    let own = key.message_id;
    let at_own = id_bound(direction, Some((own.uuid(), inclusive)));
    let id = match scan.sort.field {
        SortField::CreateTime => at_own,
        // If the key is that of an unchanged message, it is the bound among the unchanged ones;
        // else the first id of the millisecond of the change is.
        SortField::UpdateTime if own.time_ms().map(|time| time.0) == Some(key.change) => at_own,
        SortField::UpdateTime => first_id_of(key.change),
    };
    Ok(RepositoryBounds {
        id,
        changed_id: at_own,
        changed_ms: key.change,
    })
}

/// Returns the least id of a millisecond, which no message has.
fn first_id_of(time_ms: i64) -> Uuid {
    let time_ms = u64::try_from(time_ms).unwrap_or(0);
    Uuid::from_u128(u128::from(time_ms) << 80)
}

fn page_statement(
    scan: &Scan,
    app_no: i64,
    bounds: &RepositoryBounds,
    limits: ScanLimits,
) -> BoundStatement {
    let statement = match (scan.sort.field, scan.sort.direction) {
        (SortField::CreateTime, Direction::Descending) => &NEWEST_FIRST,
        (SortField::CreateTime, Direction::Ascending) => &OLDEST_FIRST,
        (SortField::UpdateTime, Direction::Descending) => &LAST_CHANGED_FIRST,
        (SortField::UpdateTime, Direction::Ascending) => &FIRST_CHANGED_FIRST,
    };
    let statement = BoundStatement::of(statement)
        .bind(app_no)
        .bind(bounds.id)
        .bind(bounds.changed_id);
    let statement = statement.bind(bounds.changed_ms).bind(limits.examined_max);
    criteria(statement, &scan.criteria)
        .bind(limits.rows)
        .bind(limits.skip)
        .bind(saturating::<i64, _>(PAGE_BYTES_MAX))
}

/// Binds the parameters of [`matches`]: `$6` to `$14`.
fn criteria(statement: BoundStatement, criteria: &Criteria) -> BoundStatement {
    let statement = statement
        .bind(i64::from(criteria.system_only))
        .bind(criteria.updated_after.map(|time| time.0));
    message_criteria(statement, criteria)
}

async fn count<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    scan: &Scan,
    now: Millis,
) -> Result<Count, Error> {
    let unused = None::<i64>;
    let statement = BoundStatement::of(&COUNT)
        .bind(app_no)
        .bind(Uuid::max())
        .bind(unused)
        .bind(unused);
    let statement = criteria(statement.bind(COUNT_EXAMINED_MAX), &scan.criteria)
        .bind(COUNT_MAX + 1)
        .bind(now.0);
    match connection.fetch_one(statement).await? {
        Some(mut row) => {
            let (matches, examined) = (row.int()?, row.int()?);
            Ok(capped(matches, examined >= i64::from(COUNT_EXAMINED_MAX)))
        }
        None => Ok(capped(0, false)),
    }
}
