//! Conversations of a mailbox: a list of them, and those with named ids.

use domain::conversation::Participation;
use domain::{Conversation, ConversationId, ProfileId};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::statement::Statement;
use crate::table::conversation::conversation_columns;

/// The participations of profile `$2`, all of them: their number is bounded.
pub static PARTICIPATIONS: Statement = Statement::new(
    "participant.all",
    2,
    "SELECT p.conversation_id, p.create_ms FROM participant p
     WHERE p.app_no = $1 AND p.mailbox_id = (
         SELECT b.mailbox_id FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2
     )",
);

/// The conversations with those ids of which profiles are participants.
pub static SHOWN: Statement = Statement::with_rows(
    "conversation.shown",
    0,
    &[
        ("app_no", Kind::Int),
        ("profile_id", Kind::Text),
        ("conversation_id", Kind::Uuid),
    ],
    concat!(
        ", named AS MATERIALIZED (
             SELECT r.*, b.mailbox_id FROM r
             CROSS JOIN mailbox b WHERE b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id
         ), own AS MATERIALIZED (
             SELECT n.* FROM named n
             CROSS JOIN participant p WHERE p.app_no = n.app_no AND p.mailbox_id = n.mailbox_id
             AND p.conversation_id = n.conversation_id
         )
         SELECT ",
        conversation_columns!(),
        " FROM own o
         CROSS JOIN conversation c WHERE c.app_no = o.app_no
         AND c.conversation_id = o.conversation_id ORDER BY o.ord"
    ),
);

pub async fn participations<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
) -> Result<Vec<Participation>, Error> {
    let statement = BoundStatement::of(&PARTICIPATIONS)
        .bind(app_no)
        .bind(owner.as_str());
    let rows = connection.fetch(statement).await?.into_iter();
    let participations = rows.map(|mut row| {
        Ok(Participation {
            conversation_id: ConversationId::new(row.uuid()?),
            create_ms: row.millis()?,
        })
    });
    participations.collect()
}

pub async fn shown<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    conversation_ids: &[ConversationId],
) -> Result<Vec<Conversation>, Error> {
    let mut statement = BoundStatement::of(&SHOWN);
    for id in conversation_ids {
        statement.push_row([app_no.into(), owner.as_str().into(), id.uuid().into()]);
    }
    if statement.is_empty() {
        return Ok(Vec::new());
    }
    let rows = connection.fetch(statement).await?.into_iter();
    rows.map(|mut row| row.conversation()).collect()
}
