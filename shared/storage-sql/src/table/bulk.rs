//! Table `bulk`: the numbered events of messages to everyone, which each mailbox takes when it
//! is settled.

use domain::bulk::{BulkEvent, BulkMessage, MessageChange, Pending};
use domain::{Audience, MessageId, Millis};
use storage::Error;

use super::{BatchChanges, rows};
use crate::db::backend::Backend;
use crate::db::column::columns;
use crate::db::dialect::Kind;
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

columns! {
    static COLUMNS of "bulk": |event: BulkEvent| {
        Key bulk_no: i64 = event.bulk_no;
        Fixed change as "what": MessageChange = event.change;
        Fixed message_id: MessageId = event.message_id;
        Fixed audience: Audience = event.audience;
        Fixed expire_ms: Millis = event.expire_ms;
    }
    select bulk_columns from "k";
    fn bulk_event() -> BulkEvent {
        Ok(BulkEvent { bulk_no, change, message_id, audience, expire_ms })
    }
}

/// A row if one of the messages is a message to everyone.
pub static IS_ANY_BULK: Statement = Statement::with_rows(
    "bulk.is_any_bulk",
    0,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "SELECT k.bulk_no FROM r
     CROSS JOIN bulk k WHERE k.app_no + 0 = r.app_no AND k.message_id = r.message_id LIMIT 1",
);

/// The messages to everyone among some.
pub static WHICH_ARE_BULK: Statement = Statement::with_rows(
    "bulk.which_are_bulk",
    0,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "SELECT DISTINCT k.app_no, k.message_id FROM r
     CROSS JOIN bulk k WHERE k.app_no + 0 = r.app_no AND k.message_id = r.message_id",
);

/// The first `$2` + 1 events after each cursor that have not expired at `$1`, with their messages,
/// in one snapshot: a mailbox that takes an event shows the message's version of that moment.
pub static PENDING: Statement = Statement::with_rows(
    "bulk.pending",
    2,
    &[("app_no", Kind::Int), ("bulk_cursor", Kind::Int)],
    concat!(
        ", part AS MATERIALIZED (
             SELECT r.app_no, r.bulk_cursor, coalesce((
                 SELECT o.bulk_no FROM bulk o WHERE o.app_no = r.app_no
                 AND o.bulk_no > r.bulk_cursor AND o.expire_ms + 0 > $1
                 ORDER BY o.bulk_no LIMIT 1 OFFSET $2
             ), 9223372036854775807) AS last FROM r
         ), pending AS MATERIALIZED (
             SELECT part.bulk_cursor, k.* FROM part
             CROSS JOIN {each bulk k WHERE k.app_no = part.app_no
                 AND k.bulk_no > part.bulk_cursor AND k.bulk_no <= part.last
                 AND k.expire_ms + 0 > $1}
         )
         SELECT k.app_no, k.bulk_cursor, ",
        bulk_columns!(),
        ", m.send_ms, m.version FROM pending k
         LEFT JOIN message m ON m.app_no = k.app_no AND m.message_id = k.message_id
             AND m.recall_ms IS NULL
         ORDER BY k.app_no, k.bulk_cursor, k.bulk_no"
    ),
);

/// The number of messages to everyone of each app that have neither expired at `$1` nor been
/// deleted; no row of an app without any.
pub static LIVE: Statement = Statement::with_rows(
    "bulk.live",
    1,
    &[("app_no", Kind::Int)],
    ", sent AS MATERIALIZED (
         SELECT k.app_no, k.message_id FROM r CROSS JOIN {each bulk k WHERE k.app_no = r.app_no
             AND k.bulk_no > 0 AND k.what = 0 AND k.expire_ms + 0 > $1}
     )
     SELECT s.app_no, count(*) FROM sent s CROSS JOIN {each message m WHERE m.app_no = s.app_no
         AND m.message_id = s.message_id AND m.recall_ms IS NULL}
     GROUP BY s.app_no",
);

pub static INSERT: RowStatement<BulkEvent> =
    RowStatement::insert("bulk.insert", "bulk", &[COLUMNS]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![INSERT.rows(rows(batch, |changes| &changes.bulk_events))]
}

impl<DB: Backend> RowReader<DB> {
    /// Reads a row of [`PENDING`] after its app and cursor.
    pub fn pending_event(&mut self) -> Result<Pending, Error> {
        let event = self.bulk_event()?;
        let message = self.millis_or_null()?.zip(self.int_or_null()?);
        Ok(Pending {
            event,
            message: message.map(|(send_ms, version)| BulkMessage { send_ms, version }),
        })
    }
}
