//! Messages that a profile sent or received, in the order of their ids.

use std::collections::BTreeSet;

use domain::limits::ERASURE_DELAY_MS;
use domain::number::saturating;
use domain::operation::{DeleteMessages, ForgetRecipient};
use domain::{MessageId, Millis};
use storage::Error;
use uuid::Uuid;

use super::ErasureStep;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::column::recipient_needle;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::upkeep::orphans;

/// Number of messages in one step.
const MESSAGES: usize = 200;

/// The next `$6` messages behind `$2` until `$3`: whether `$4` sent it, and whether its recipients
/// have `$5`.
pub static NEXT: Statement = Statement::new(
    "message.next",
    6,
    "SELECT m.message_id, CASE WHEN m.sender_profile_id = $4 THEN 1 ELSE 0 END,
         CASE WHEN {strpos}(m.recipients, $5) > 0 THEN 1 ELSE 0 END
     FROM message m WHERE m.app_no = $1 AND m.message_id > $2 AND m.message_id <= $3
     ORDER BY m.message_id LIMIT $6",
);

/// Deletes those of the next messages that the profile sent, and removes it from the recipients of
/// others. Returns the last one; none if there are no others.
pub async fn next<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    place: Option<Uuid>,
) -> Result<Option<Uuid>, Error> {
    let read = BoundStatement::of(&NEXT)
        .bind(step.app.app_no)
        .bind(place.unwrap_or_default())
        .bind(last_before(step.request.after(ERASURE_DELAY_MS)))
        .bind(step.profile.as_str())
        .bind(recipient_needle(step.profile))
        .bind(saturating::<i64, _>(MESSAGES));
    let mut connection = Connection::of(&step.jobs.read).await?;
    let (mut count, mut last) = (0, None);
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for mut row in connection.fetch(read).await? {
        let message_id = row.message_id()?;
        (count, last) = (count + 1, Some(message_id.uuid()));
        let (is_sent, is_received) = (row.int()? > 0, row.int()? > 0);
        if is_sent {
            sent.push(message_id);
        } else if is_received {
            received.push(message_id);
        }
    }
    drop(connection);
    if !sent.is_empty() {
        step.run_to_end(DeleteMessages::new(sent)).await?;
    }
    if !received.is_empty() {
        forget(step, received).await?;
    }
    Ok(last.filter(|_| count == MESSAGES))
}

/// Removes the profile from the recipients of messages. Those without holders expire.
async fn forget<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    message_ids: Vec<MessageId>,
) -> Result<(), Error> {
    let keys = message_ids.iter().map(|id| (step.app.app_no, *id));
    let keys: BTreeSet<(i64, MessageId)> = keys.collect();
    let forget = ForgetRecipient {
        profile_id: step.profile.clone(),
        message_ids,
    };
    step.run_to_end(forget).await?;
    let mut connection = Connection::of(&step.jobs.read).await?;
    let orphans = orphans::among(&mut connection, &keys, step.now.due_ms).await?;
    drop(connection);
    for (_, operation) in orphans {
        step.run_to_end(operation.action).await?;
    }
    Ok(())
}

/// The last id of a message that was sent before a time.
fn last_before(time: Millis) -> Uuid {
    let millis = u64::try_from(time.0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
