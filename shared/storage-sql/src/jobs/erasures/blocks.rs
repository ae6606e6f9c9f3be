//! Blocks of a profile, in the mailboxes of others and in its own.

use domain::ProfileId;
use domain::operation::UnblockProfile;
use storage::Error;
use uuid::Uuid;

use super::ErasureStep;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::read;

/// Number of mailboxes in one step.
const MAILBOXES: i64 = 500;
/// Number of own blocks in one step.
const OWN_BLOCKS: u32 = 100;

/// The next `$4` mailboxes behind `$2`, and whether each blocks `$3`.
pub static NEXT: Statement = Statement::new(
    "mailbox.next",
    4,
    "SELECT b.mailbox_id, b.profile_id, (
         SELECT count(*) FROM block k WHERE k.app_no = b.app_no AND k.mailbox_id = b.mailbox_id
         AND k.profile_id = $3
     ) FROM mailbox b WHERE b.app_no = $1 AND b.mailbox_id > $2
     ORDER BY b.mailbox_id LIMIT $4",
);

/// Removes the blocks of the profile from the next mailboxes. Returns the last mailbox, as a UUID;
/// none if there are no others.
pub async fn next<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    place: Option<Uuid>,
) -> Result<Option<Uuid>, Error> {
    let after = place.map_or(0, |place| place.as_u128());
    let read = BoundStatement::of(&NEXT)
        .bind(step.app.app_no)
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(step.profile.as_str())
        .bind(MAILBOXES);
    let rows = Connection::of(&step.jobs.read).await?.fetch(read).await?;
    let (mut count, mut last, mut owners) = (0, None, Vec::new());
    for mut row in rows {
        let mailbox_id = row.int()?;
        (count, last) = (count + 1, u128::try_from(mailbox_id).ok());
        let owner = row.profile_id("mailbox")?;
        if row.int()? > 0 {
            owners.push(owner);
        }
    }
    for owner in owners {
        unblock(step, owner, step.profile.clone()).await?;
    }
    Ok(last.map(Uuid::from_u128).filter(|_| count == MAILBOXES))
}

/// Removes the next blocks of the profile's own mailbox. Returns whether it has no others.
pub async fn clear_own<DB: Backend>(step: &ErasureStep<'_, DB>) -> Result<bool, Error> {
    let mut connection = Connection::of(&step.jobs.read).await?;
    let app_no = step.app.app_no;
    let blocks = read::blocks::read(&mut connection, app_no, step.profile, None, OWN_BLOCKS);
    let blocks = blocks.await?;
    drop(connection);
    let is_all = blocks.len() < OWN_BLOCKS as usize;
    for block in blocks {
        unblock(step, step.profile.clone(), block.profile_id).await?;
    }
    Ok(is_all)
}

async fn unblock<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    owner: ProfileId,
    profile_id: ProfileId,
) -> Result<(), Error> {
    step.run_to_end(UnblockProfile { owner, profile_id }).await
}
