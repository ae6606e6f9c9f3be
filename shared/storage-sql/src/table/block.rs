//! Table `block`: the profiles that the owner of a mailbox blocks.

use domain::{Block, Millis, ProfileId};

use super::{BatchChanges, rows};
use crate::db::column::{columns, written_columns};
use crate::db::dialect::Kind;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

/// A block in the mailbox with that id.
pub type MailboxBlock = (i64, Block);

columns! {
    static BLOCK of "block": |row: MailboxBlock| {
        Key profile_id: ProfileId = row.1.profile_id;
        Fixed create_ms: Millis = row.1.create_ms;
    }
    select block_columns from "k";
    fn block() -> Block {
        Ok(Block { profile_id, create_ms })
    }
}

pub(crate) use block_columns;

written_columns! {
    static MAILBOX: |row: MailboxBlock| {
        Key mailbox_id: i64 = row.0;
    }
}

written_columns! {
    static KEY: |key: (i64, ProfileId)| {
        Key mailbox_id: i64 = key.0;
        Key profile_id: ProfileId = key.1;
    }
}

/// Blocks by their keys.
pub static READ: Statement = Statement::with_rows(
    "block.read",
    0,
    &[
        ("app_no", Kind::Int),
        ("mailbox_id", Kind::Int),
        ("profile_id", Kind::Text),
    ],
    concat!(
        "SELECT k.app_no, k.mailbox_id, ",
        block_columns!(),
        " FROM r
         CROSS JOIN block k WHERE k.app_no = r.app_no AND k.mailbox_id = r.mailbox_id
         AND k.profile_id = r.profile_id"
    ),
);

pub static INSERT: RowStatement<MailboxBlock> =
    RowStatement::insert("block.insert", "block", &[MAILBOX, BLOCK]);
pub static DELETE: RowStatement<(i64, ProfileId)> =
    RowStatement::delete("block.delete", "block", &[KEY]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        DELETE.rows(rows(batch, |changes| &changes.gone_blocks)),
        INSERT.rows(rows(batch, |changes| &changes.new_blocks)),
    ]
}
