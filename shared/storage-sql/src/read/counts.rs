//! Message counts of mailboxes.

use domain::{Millis, ProfileId};
use storage::{Error, FeedOffset, MailboxCounts};
use uuid::Uuid;

use super::ReadOutcome;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::error::corrupt;
use crate::db::row::RowReader;
use crate::db::statement::Statement;
use crate::table::mailbox::{MailboxReadiness, state};

pub static ONE: Statement = Statement::new(
    "mailbox.counts",
    3,
    concat!(
        "SELECT ",
        state!("$3"),
        ", b.seq, b.inbox_total, b.inbox_unread, b.sent_total FROM mailbox b
         WHERE b.app_no + 0 = $1 AND b.profile_id = $2"
    ),
);

pub static MANY: Statement = Statement::with_rows(
    "mailbox.counts_of_many",
    1,
    &[
        ("app_no", Kind::Int),
        ("profile_id", Kind::Text),
        ("place", Kind::Int),
    ],
    concat!(
        "SELECT r.place, ",
        state!("$1"),
        ", b.seq, b.inbox_total, b.inbox_unread, b.sent_total
         FROM r CROSS JOIN mailbox b WHERE b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id"
    ),
);

/// Returns the counts of mailboxes, in their order.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    mailboxes: &[(i64, ProfileId)],
    now: Millis,
) -> Result<Vec<ReadOutcome<MailboxCounts>>, Error> {
    match mailboxes {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![read_one(connection, epoch, one, now).await?]),
        many => read_many(connection, epoch, many, now).await,
    }
}

/// Returns the counts of a mailbox.
pub async fn read_one<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    (app_no, owner): &(i64, ProfileId),
    now: Millis,
) -> Result<ReadOutcome<MailboxCounts>, Error> {
    let statement = BoundStatement::of(&ONE)
        .bind(*app_no)
        .bind(owner.as_str())
        .bind(now.0);
    let row = connection.fetch_one(statement).await?;
    row.map_or(Ok(ReadOutcome::Missing), |mut row| counted(&mut row, epoch))
}

async fn read_many<DB: Backend>(
    connection: &mut Connection<DB>,
    epoch: Uuid,
    mailboxes: &[(i64, ProfileId)],
    now: Millis,
) -> Result<Vec<ReadOutcome<MailboxCounts>>, Error> {
    let mut statement = BoundStatement::of(&MANY).bind(now.0);
    for ((app_no, owner), place) in mailboxes.iter().zip(0_i64..) {
        statement.push_row([(*app_no).into(), owner.as_str().into(), place.into()]);
    }
    let mut seen: Vec<_> = mailboxes.iter().map(|_| ReadOutcome::Missing).collect();
    for mut row in connection.fetch(statement).await? {
        let place = row.int()?;
        let place = usize::try_from(place)
            .ok()
            .and_then(|place| seen.get_mut(place));
        *place.ok_or_else(|| corrupt("mailbox", "profile_id", &"an unknown place"))? =
            counted(&mut row, epoch)?;
    }
    Ok(seen)
}

fn counted<DB: Backend>(
    row: &mut RowReader<DB>,
    epoch: Uuid,
) -> Result<ReadOutcome<MailboxCounts>, Error> {
    let state = row.mailbox_readiness()?;
    if state == MailboxReadiness::Due {
        return Ok(ReadOutcome::Due);
    }
    let offset = FeedOffset {
        epoch,
        seq: row.int()?,
    };
    let counts = row.counts()?;
    Ok(ReadOutcome::of(state, MailboxCounts { counts, offset }))
}
