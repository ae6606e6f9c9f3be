//! Table `message`: the shared part of a message, one row for all its holders.

use bytes::Bytes;
use domain::content::ContentKind;
use domain::ledger::Changes;
use domain::message::Envelope;
use domain::segment::{JobId, Segment};
use domain::{Content, Message, MessageId, MessageKind, Millis, ProfileId, Sender};
use storage::Error;

use super::{BatchChanges, rows};
use crate::db::backend::Backend;
use crate::db::column::{columns, written_columns};
use crate::db::dialect::Kind;
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

columns! {
    /// The columns of the envelope.
    static ENVELOPE of "message": |message: Message| {
        Key message_id: MessageId = message.envelope.message_id;
        Fixed kind: MessageKind = message.envelope.kind;
        Fixed sender_profile_id: Option<ProfileId> = message.envelope.sender.profile_id;
        Fixed sender_name: String = message.envelope.sender.name;
        Fixed sender_pic: String = message.envelope.sender.pic;
        Fixed recipients: Vec<ProfileId> = message.envelope.to;
        Fixed notification: Option<Bytes> = message.envelope.notification;
        Mutable version: i64 = message.envelope.version;
        Mutable modified: bool = message.envelope.modified;
        Fixed send_ms: Millis = message.envelope.send_ms;
        Mutable update_ms: Millis = message.envelope.update_ms;
        Fixed expire_ms: Millis = message.envelope.expire_ms;
        Mutable size_bytes: i64 = message.envelope.size_bytes;
        Fixed job_id: Option<JobId> = message.envelope.segment.map(|segment| segment.job_id);
        Fixed recipient_count: Option<u32> =
            message.envelope.segment.map(|segment| segment.recipients);
    }
    read only {
        recall_ms: Option<Millis>;
    }
    select envelope_columns from "m";
    fn envelope() -> Envelope {
        segment(job_id, recipient_count, recall_ms).map(|segment| Envelope {
            message_id,
            kind,
            sender: Sender { profile_id: sender_profile_id, name: sender_name, pic: sender_pic },
            to: recipients,
            segment,
            notification,
            version,
            modified,
            send_ms,
            update_ms,
            expire_ms,
            size_bytes,
        })
    }
}

pub(crate) use envelope_columns;

fn segment(
    job_id: Option<JobId>,
    recipient_count: Option<u32>,
    recall_ms: Option<Millis>,
) -> Result<Option<Segment>, &'static str> {
    let Some(job_id) = job_id else {
        return Ok(None);
    };
    Ok(Some(Segment {
        job_id,
        recipients: recipient_count.ok_or("recipient_count")?,
        recalled: recall_ms.is_some(),
    }))
}

written_columns! {
    /// The columns of the content; see [`RowReader::content`].
    static CONTENT: |message: Message| {
        Mutable content_kind: ContentKind = message.content.kind;
        Mutable digest: [u8; 32] = message.content.digest;
        Mutable content: Bytes = message.content.encoded;
    }
}

written_columns! {
    static KEY: |message_id: MessageId| {
        Key message_id: MessageId = *message_id;
    }
}

written_columns! {
    static RECALL: |recall: (MessageId, Millis)| {
        Key message_id: MessageId = recall.0;
        Mutable recall_ms: Millis = recall.1;
        Mutable content: Bytes = Bytes::new();
        Mutable size_bytes: i64 = 0;
        Mutable notification: Option<Bytes> = None;
    }
}

written_columns! {
    static EXPIRY: |expiry: (MessageId, Millis)| {
        Key message_id: MessageId = expiry.0;
        Mutable expire_ms: Millis = expiry.1;
    }
}

/// Messages that have not expired at `$1`.
pub static LOCK: Statement = Statement::with_rows(
    "message.lock",
    1,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    concat!(
        "SELECT m.app_no, ",
        envelope_columns!(),
        " FROM r
         CROSS JOIN {each message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
             AND m.expire_ms + 0 > $1 AND m.recall_ms IS NULL}
         ORDER BY r.ord"
    ),
)
.locking_free("m");

/// Messages that have expired at `$1`.
pub static LOCK_EXPIRED: Statement = Statement::with_rows(
    "message.lock_expired",
    1,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    concat!(
        "SELECT m.app_no, ",
        envelope_columns!(),
        " FROM r
         CROSS JOIN {each message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
             AND m.expire_ms + 0 <= $1}
         ORDER BY r.ord"
    ),
)
.locking_free("m");

/// Messages that have not expired at `$1`, locked or not.
pub static EXISTING: Statement = Statement::with_rows(
    "message.existing",
    1,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    "SELECT m.app_no, m.message_id FROM r
     CROSS JOIN {each message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
         AND m.expire_ms + 0 > $1 AND m.recall_ms IS NULL}",
);

/// The messages that profiles sent or have in the box, and those of kind `$1`, which all have.
pub static CLAIMED: Statement = Statement::with_rows(
    "message.claimed",
    1,
    &[
        ("app_no", Kind::Int),
        ("message_id", Kind::Uuid),
        ("box", Kind::Int),
        ("profile_id", Kind::Text),
    ],
    ", named AS MATERIALIZED (
         SELECT r.*, b.mailbox_id FROM r
         LEFT JOIN mailbox b ON b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id
     )
     SELECT n.app_no, n.message_id, n.profile_id FROM named n
     LEFT JOIN message m ON m.app_no = n.app_no AND m.message_id = n.message_id
     LEFT JOIN msgbox e ON e.app_no = n.app_no AND e.mailbox_id = n.mailbox_id
         AND e.box = n.box AND e.message_id = n.message_id
     WHERE m.kind = $1 OR m.sender_profile_id = n.profile_id OR e.version IS NOT NULL",
);

/// Locks a message, as soon as another transaction has released it.
pub static WAIT: Statement = Statement::new(
    "message.wait",
    2,
    "SELECT m.message_id FROM message m WHERE m.app_no = $1 AND m.message_id = $2",
)
.locking("m");

/// Finds a message by its key.
pub static FIND: Statement = Statement::new(
    "message.find",
    2,
    "SELECT m.message_id FROM message m WHERE m.app_no = $1 AND m.message_id = $2",
);

pub static INSERT: RowStatement<Message> =
    RowStatement::insert("message.insert", "message", &[ENVELOPE, CONTENT]);
pub static UPDATE: RowStatement<Message> =
    RowStatement::update("message.update", "message", &[ENVELOPE, CONTENT]);
pub static DELETE: RowStatement<MessageId> =
    RowStatement::delete("message.delete", "message", &[KEY]);

/// Empties messages to everyone or to a segment; the rows stay until they expire.
pub static RECALL_ALL: RowStatement<(MessageId, Millis)> =
    RowStatement::update("message.recall", "message", &[RECALL]);

written_columns! {
    static RECIPIENTS: |message: (MessageId, Vec<ProfileId>)| {
        Key message_id: MessageId = message.0;
        Mutable recipients: Vec<ProfileId> = message.1;
    }
}

/// Replaces the recipients of messages.
pub static UPDATE_RECIPIENTS: RowStatement<(MessageId, Vec<ProfileId>)> =
    RowStatement::update("message.update_recipients", "message", &[RECIPIENTS]);

/// Sets the expiry of messages that no box has any more.
pub static EXPIRE: RowStatement<(MessageId, Millis)> =
    RowStatement::update("message.expire", "message", &[EXPIRY]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        INSERT.rows(rows(batch, |changes| &changes.new_messages)),
        UPDATE.rows(rows(batch, |changes| &changes.contents)),
        DELETE.rows(rows(batch, |changes| &changes.gone_messages)),
        RECALL_ALL.rows(rows(batch, |changes| &changes.recalled_messages)),
        UPDATE_RECIPIENTS.rows_of_any_effect(rows(batch, recipients)),
        EXPIRE.rows_of_any_effect(rows(batch, orphans)),
    ]
}

fn recipients(changes: &Changes) -> impl Iterator<Item = (MessageId, Vec<ProfileId>)> {
    let recipients = changes.recipients.iter();
    recipients.map(|(message_id, to)| (*message_id, to.clone()))
}

fn orphans(changes: &Changes) -> impl Iterator<Item = (MessageId, Millis)> {
    let orphans = changes.orphans.iter();
    orphans.map(|(message_id, expire_ms)| (*message_id, *expire_ms))
}

impl<DB: Backend> RowReader<DB> {
    /// Reads `content_kind, digest, content`; none if the content is null.
    pub fn content(&mut self) -> Result<Option<Content>, Error> {
        let kind = self.column("message", "content_kind")?;
        let digest = self.column("message", "digest")?;
        let encoded: Option<Bytes> = self.column("message", "content")?;
        Ok(encoded.map(|encoded| Content {
            kind,
            encoded,
            digest,
        }))
    }

    /// Reads an envelope and a content; the id alone if the content is null.
    pub fn message(&mut self) -> Result<Result<Message, MessageId>, Error> {
        let envelope = self.envelope()?;
        let message_id = envelope.message_id;
        Ok(self
            .content()?
            .map(|content| Message { envelope, content })
            .ok_or(message_id))
    }
}
