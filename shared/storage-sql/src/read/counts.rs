//! What the boxes of a mailbox hold.

use domain::{Millis, ProfileId};
use storage::{Counted, Error, Position};
use uuid::Uuid;

use super::Seen;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::error::corrupt;
use crate::fields::{Fields, is_due};
use crate::rows::Call;
use crate::statement::{Kind, Statement};

static ONE: Statement = Statement::new(
    3,
    concat!(
        "SELECT ",
        is_due!("$3"),
        ", b.seq, b.inbox_total, b.inbox_unread, b.sent_total FROM mailbox b CROSS JOIN app a
         WHERE b.app_no = $1 AND b.profile_id = $2 AND a.app_no = $1"
    ),
);

static MANY: Statement = Statement::with_rows(
    1,
    &[
        ("app_no", Kind::Int),
        ("profile_id", Kind::Text),
        ("place", Kind::Int),
    ],
    concat!(
        "SELECT r.place, ",
        is_due!("$1"),
        ", b.seq, b.inbox_total, b.inbox_unread, b.sent_total
         FROM r CROSS JOIN mailbox b CROSS JOIN app a
         WHERE b.app_no = r.app_no AND b.profile_id = r.profile_id AND a.app_no = r.app_no"
    ),
);

/// What those mailboxes hold, in their order.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    mailboxes: &[(i64, ProfileId)],
    now: Millis,
) -> Result<Vec<Seen<Counted>>, Error> {
    match mailboxes {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![read_one(connection, epoch, one, now).await?]),
        many => read_many(connection, epoch, many, now).await,
    }
}

/// What a mailbox holds.
pub async fn read_one<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    (app_no, owner): &(i64, ProfileId),
    now: Millis,
) -> Result<Seen<Counted>, Error> {
    let call = Call::of(&ONE)
        .with(*app_no)
        .with(owner.as_str())
        .with(now.0);
    let row = connection.fetch_one(call).await?;
    row.map_or(Ok(Seen::Missing), |mut row| counted(&mut row, epoch))
}

async fn read_many<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    mailboxes: &[(i64, ProfileId)],
    now: Millis,
) -> Result<Vec<Seen<Counted>>, Error> {
    let mut call = Call::of(&MANY).with(now.0);
    for ((app_no, owner), place) in mailboxes.iter().zip(0_i64..) {
        call.row([(*app_no).into(), owner.as_str().into(), place.into()]);
    }
    let mut seen: Vec<_> = mailboxes.iter().map(|_| Seen::Missing).collect();
    for mut row in connection.fetch(call).await? {
        let place = row.int()?;
        let place = usize::try_from(place)
            .ok()
            .and_then(|place| seen.get_mut(place));
        *place.ok_or_else(|| corrupt("mailbox", "profile_id", &"of nobody"))? =
            counted(&mut row, epoch)?;
    }
    Ok(seen)
}

fn counted<DB: Backend>(row: &mut Fields<DB>, epoch: Uuid) -> Result<Seen<Counted>, Error> {
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
