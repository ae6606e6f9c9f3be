//! What the boxes of a mailbox hold.

use domain::ProfileId;
use storage::{Counted, Error, Position};
use uuid::Uuid;

use crate::backend::Backend;
use crate::connection::Connection;
use crate::rows::Call;
use crate::statement::Statement;

static COUNTS: Statement = Statement::new(
    2,
    "SELECT b.seq, b.inbox_total, b.inbox_unread, b.sent_total FROM mailbox b
     WHERE b.app_no = $1 AND b.profile_id = $2",
);

/// None if the mailbox has not begun.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    app_no: i64,
    owner: &ProfileId,
) -> Result<Option<Counted>, Error> {
    let call = Call::of(&COUNTS).with(app_no).with(owner.as_str());
    let Some(mut row) = connection.fetch(call).await?.into_iter().next() else {
        return Ok(None);
    };
    let position = Position {
        epoch,
        seq: row.int()?,
    };
    Ok(Some(Counted {
        counts: row.counts()?,
        position,
    }))
}
