//! Table `participant`: the conversations of each mailbox.

use domain::conversation::Participation;
use domain::{ConversationId, Millis};

use super::{BatchChanges, rows};
use crate::db::column::written_columns;
use crate::db::dialect::Kind;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

/// A participation of the mailbox with that id.
type MailboxParticipation = (i64, Participation);

written_columns! {
    static COLUMNS: |row: MailboxParticipation| {
        Key mailbox_id: i64 = row.0;
        Key conversation_id: ConversationId = row.1.conversation_id;
        Fixed create_ms: Millis = row.1.create_ms;
    }
}

written_columns! {
    static KEY: |key: (i64, ConversationId)| {
        Key mailbox_id: i64 = key.0;
        Key conversation_id: ConversationId = key.1;
    }
}

/// Conversations and profiles, as far as the profiles are participants.
pub static CLAIMED: Statement = Statement::with_rows(
    "participant.claimed",
    0,
    &[
        ("app_no", Kind::Int),
        ("conversation_id", Kind::Uuid),
        ("profile_id", Kind::Text),
    ],
    ", named AS MATERIALIZED (
         SELECT r.*, b.mailbox_id FROM r
         CROSS JOIN mailbox b WHERE b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id
     )
     SELECT n.app_no, n.conversation_id, n.profile_id FROM named n
     CROSS JOIN participant p WHERE p.app_no = n.app_no AND p.mailbox_id = n.mailbox_id
     AND p.conversation_id = n.conversation_id",
);

pub static INSERT: RowStatement<MailboxParticipation> =
    RowStatement::insert("participant.insert", "participant", &[COLUMNS]);
pub static DELETE: RowStatement<(i64, ConversationId)> =
    RowStatement::delete("participant.delete", "participant", &[KEY]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        DELETE.rows(rows(batch, |changes| &changes.gone_participations)),
        INSERT.rows(rows(batch, |changes| &changes.new_participations)),
    ]
}
