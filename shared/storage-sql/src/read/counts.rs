//! What the boxes of a mailbox hold.

use domain::{Millis, ProfileId};
use storage::{Counted, Error, Position};
use uuid::Uuid;

use super::Seen;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::fields::is_due;
use crate::rows::Call;
use crate::statement::Statement;

static COUNTS: Statement = Statement::new(
    3,
    concat!(
        "SELECT ",
        is_due!("$3"),
        ", b.seq, b.inbox_total, b.inbox_unread, b.sent_total FROM mailbox b CROSS JOIN app a
         WHERE b.app_no = $1 AND b.profile_id = $2 AND a.app_no = $1"
    ),
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    app_no: i64,
    owner: &ProfileId,
    now: Millis,
) -> Result<Seen<Counted>, Error> {
    let call = Call::of(&COUNTS)
        .with(app_no)
        .with(owner.as_str())
        .with(now.0);
    let Some(mut row) = connection.fetch(call).await?.into_iter().next() else {
        return Ok(Seen::Missing);
    };
    if row.is_due()? {
        return Ok(Seen::Due);
    }
    let position = Position {
        epoch,
        seq: row.int()?,
    };
    Ok(Seen::There(Counted {
        counts: row.counts()?,
        position,
    }))
}
