//! Table `conversation`: participants and metadata of conversations.

use domain::conversation::DistinctKey;
use domain::request::Fingerprint;
use domain::{Conversation, ConversationId, Metadata, Millis, ProfileId};

use super::{BatchChanges, rows};
use crate::db::column::{columns, written_columns};
use crate::db::dialect::{BatchColumn, Kind};
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

columns! {
    static COLUMNS of "conversation": |conversation: Conversation| {
        Key conversation_id: ConversationId = conversation.conversation_id;
        Mutable distinct_key: Option<DistinctKey> = conversation.distinct_key;
        Mutable participants: Vec<ProfileId> = conversation.participants;
        Mutable metadata: Metadata = conversation.metadata;
        Mutable version: i64 = conversation.version;
        Mutable creator as "creator_profile_id": Option<ProfileId> = conversation.creator;
        Fixed create_fingerprint: Fingerprint = conversation.create_fingerprint;
        Fixed create_ms: Millis = conversation.create_ms;
        Mutable update_ms: Millis = conversation.update_ms;
    }
    select conversation_columns from "c";
    fn conversation() -> Conversation {
        Ok(Conversation {
            conversation_id,
            distinct_key,
            participants,
            metadata,
            version,
            creator,
            create_fingerprint,
            create_ms,
            update_ms,
        })
    }
}

pub(crate) use conversation_columns;

written_columns! {
    static KEY: |conversation_id: ConversationId| {
        Key conversation_id: ConversationId = *conversation_id;
    }
}

const ID: [BatchColumn; 2] = [("app_no", Kind::Int), ("conversation_id", Kind::Uuid)];

/// Conversations by their ids.
macro_rules! by_id {
    () => {
        concat!(
            "SELECT c.app_no, ",
            conversation_columns!(),
            " FROM r
             CROSS JOIN conversation c WHERE c.app_no = r.app_no
             AND c.conversation_id = r.conversation_id"
        )
    };
}

pub static LOCK: Statement = Statement::with_rows(
    "conversation.lock",
    0,
    &ID,
    concat!(by_id!(), " ORDER BY r.ord"),
)
.locking_free("c");

/// Conversations, locked or not.
pub static EXISTING: Statement = Statement::with_rows(
    "conversation.existing",
    0,
    &ID,
    "SELECT c.app_no, c.conversation_id FROM r
     CROSS JOIN conversation c WHERE c.app_no = r.app_no
     AND c.conversation_id = r.conversation_id",
);

/// Locks a conversation, as soon as another transaction has released it.
pub static WAIT: Statement = Statement::new(
    "conversation.wait",
    2,
    "SELECT c.conversation_id FROM conversation c
     WHERE c.app_no = $1 AND c.conversation_id = $2",
)
.locking("c");

pub static FIND: Statement = Statement::with_rows("conversation.find", 0, &ID, by_id!());

/// Distinct conversations by the keys of their participants.
pub static FIND_DISTINCT: Statement = Statement::with_rows(
    "conversation.find_distinct",
    0,
    &[("app_no", Kind::Int), ("distinct_key", Kind::Bytes)],
    concat!(
        "SELECT c.app_no, ",
        conversation_columns!(),
        " FROM r
         CROSS JOIN conversation c WHERE c.app_no = r.app_no
         AND c.distinct_key = r.distinct_key AND c.distinct_key IS NOT NULL"
    ),
);

pub static INSERT: RowStatement<Conversation> =
    RowStatement::insert_in_order("conversation.insert", "conversation", &[COLUMNS]);
pub static UPDATE: RowStatement<Conversation> =
    RowStatement::update("conversation.update", "conversation", &[COLUMNS]);
pub static DELETE: RowStatement<ConversationId> =
    RowStatement::delete("conversation.delete", "conversation", &[KEY]);

/// Updates before inserts: conversations that are no longer distinct make room for new ones.
pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        DELETE.rows(rows(batch, |changes| &changes.gone_conversations)),
        UPDATE.rows(rows(batch, |changes| &changes.conversations)),
        INSERT.rows(rows(batch, |changes| &changes.new_conversations)),
    ]
}
