//! Blocks of a mailbox, by keyset pagination.

use domain::{Block, ProfileId};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::table::block::block_columns;

/// The first `$4` blocks after profile `$3` of the mailbox of profile `$2`.
pub static BLOCKS: Statement = Statement::new(
    "block.page",
    4,
    concat!(
        "SELECT ",
        block_columns!(),
        " FROM block k WHERE k.app_no = $1 AND k.mailbox_id = (
             SELECT b.mailbox_id FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2
         ) AND k.profile_id > $3 ORDER BY k.profile_id LIMIT $4"
    ),
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    after: Option<&ProfileId>,
    rows: u32,
) -> Result<Vec<Block>, Error> {
    // No profile id is empty.
    let statement = BoundStatement::of(&BLOCKS)
        .bind(app_no)
        .bind(owner.as_str())
        .bind(after.map_or("", ProfileId::as_str))
        .bind(rows);
    let rows = connection.fetch(statement).await?;
    rows.into_iter().map(|mut row| row.block()).collect()
}
