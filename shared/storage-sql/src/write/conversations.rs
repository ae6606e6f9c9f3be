//! Looks up conversations that an operation may find, after the mailboxes of all participants were
//! locked: each change of a conversation locks those, so that what is found stays as it is.

use storage::Error;

use super::lock::{Footprints, Ledgers};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::conversation;

/// Finds conversations by the ids that clients chose, and distinct ones by their participants.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut by_id = BoundStatement::of(&conversation::FIND);
    let mut by_key = BoundStatement::of(&conversation::FIND_DISTINCT);
    for (app_no, footprint) in footprints {
        for id in &footprint.chosen_ids {
            by_id.push_row([(*app_no).into(), id.uuid().into()]);
        }
        for key in &footprint.distinct_keys {
            by_key.push_row([(*app_no).into(), key.0.as_slice().into()]);
        }
    }
    for find in [by_id, by_key] {
        if find.is_empty() {
            continue;
        }
        for mut row in connection.fetch(find).await? {
            let app_no = row.int()?;
            let found = row.conversation()?;
            if let Some(ledger) = ledgers.get_mut(&app_no) {
                ledger.find_conversation(found);
            }
        }
    }
    Ok(())
}
