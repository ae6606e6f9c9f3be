//! A row on its way out of a database, taken field by field in the order of its columns.

use domain::bulk::MessageChange;
use domain::content::ContentKind;
use domain::mailbox::Counts;
use domain::message::{Envelope, MessageKind};
use domain::segment::{JobChange, JobCounts, JobId, JobState, Segment, SendJob};
use domain::{
    AppId, Content, Entry, Mailbox, Message, MessageId, Millis, Msgbox, ProfileId, Sender, Settings,
};
use sqlx::{Column, Row};
use storage::Error;
use uuid::Uuid;

use crate::db::backend::{Backend, Codec};
use crate::db::error::corrupt;

/// The columns that [`RowReader::entry`] takes, of a table or alias `e`.
macro_rules! entry_columns {
    () => {
        "e.box, e.message_id, e.seq, e.create_seq, e.create_ms, e.update_ms, e.version, \
         e.content_version, e.read_ms, e.delivered_ms, e.expire_ms"
    };
}

/// The columns that [`RowReader::envelope`] takes, of a table or alias `m`.
macro_rules! envelope_columns {
    () => {
        "m.message_id, m.kind, m.sender_profile_id, m.sender_name, m.sender_pic, m.recipients, \
         m.notification, m.version, m.modified, m.send_ms, m.update_ms, m.expire_ms, \
         m.job_id, m.recipient_count, m.recall_ms"
    };
}

/// The columns that [`RowReader::mailbox`] takes, of a table or alias `b`.
macro_rules! mailbox_columns {
    () => {
        "b.mailbox_id, b.seq, b.floor_seq, b.clock_ms, b.inbox_total, b.inbox_unread, \
         b.sent_total, b.next_expiry_ms, b.bulk_cursor, b.bulk_joined"
    };
}

/// The columns that [`RowReader::job`] takes, of a table or alias `j`.
macro_rules! job_columns {
    () => {
        "j.job_id, j.message_id, j.state, j.run_no, j.next_chunk, j.accepted, j.duplicates, \
         j.delivered, j.full_inboxes, j.failed, j.change_turn, j.change_chunk, j.change_chunks, \
         j.change_left, j.change_waits, \
         j.step_ms, j.expire_ms"
    };
}

/// Whether a mailbox `b` of an app `a` has something to take at a time: 1, else 0.
macro_rules! is_due {
    ($now:literal) => {
        concat!(
            "CASE WHEN b.bulk_cursor < a.bulk_head OR b.next_expiry_ms <= ",
            $now,
            " THEN 1 ELSE 0 END"
        )
    };
}

pub(crate) use {entry_columns, envelope_columns, is_due, job_columns, mailbox_columns};

/// A row, and how much of it was taken.
pub struct RowReader<DB: Backend> {
    row: DB::Row,
    next: usize,
}

impl<DB: Backend> RowReader<DB> {
    pub const fn new(row: DB::Row) -> Self {
        Self { row, next: 0 }
    }

    fn take<T>(&mut self) -> Result<T, Error>
    where
        DB: Codec<T>,
    {
        let index = self.next;
        self.next += 1;
        DB::get(&self.row, index).map_err(|error| Error::Internal(error.into()))
    }

    fn there<T>(&self, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            let column = self.row.columns().get(self.next - 1).map(Column::name);
            Error::Internal(format!("column {column:?} is null").into())
        })
    }

    pub fn int_or_null(&mut self) -> Result<Option<i64>, Error> {
        self.take()
    }

    pub fn int(&mut self) -> Result<i64, Error> {
        let value = self.int_or_null()?;
        self.there(value)
    }

    pub fn text_or_null(&mut self) -> Result<Option<String>, Error> {
        self.take()
    }

    pub fn text(&mut self) -> Result<String, Error> {
        let value = self.text_or_null()?;
        self.there(value)
    }

    pub fn bytes_or_null(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.take()
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let value = self.bytes_or_null()?;
        self.there(value)
    }

    pub fn uuid_or_null(&mut self) -> Result<Option<Uuid>, Error> {
        self.take()
    }

    pub fn uuid(&mut self) -> Result<Uuid, Error> {
        let value = self.uuid_or_null()?;
        self.there(value)
    }

    pub fn millis(&mut self) -> Result<Millis, Error> {
        self.int().map(Millis)
    }

    pub fn millis_or_null(&mut self) -> Result<Option<Millis>, Error> {
        Ok(self.int_or_null()?.map(Millis))
    }

    pub fn message_id(&mut self) -> Result<MessageId, Error> {
        self.uuid().map(MessageId::new)
    }

    pub fn msgbox(&mut self) -> Result<Msgbox, Error> {
        let code = self.int()?;
        Msgbox::from_code(code).ok_or_else(|| corrupt("msgbox", "box", &code))
    }

    pub fn profile_id(&mut self, table: &'static str) -> Result<ProfileId, Error> {
        let text = self.text()?;
        ProfileId::parse(&text)
            .map_err(|_| corrupt(table, "profile_id", &format_args!("{} bytes", text.len())))
    }

    pub fn app_id(&mut self) -> Result<AppId, Error> {
        let text = self.text()?;
        AppId::parse(&text)
            .map_err(|_| corrupt("app", "app_id", &format_args!("{} bytes", text.len())))
    }

    pub fn counts(&mut self) -> Result<Counts, Error> {
        Ok(Counts {
            inbox_total: self.int()?,
            inbox_unread: self.int()?,
            sent_total: self.int()?,
        })
    }

    pub fn mailbox(&mut self) -> Result<Mailbox, Error> {
        Ok(Mailbox {
            mailbox_id: self.int()?,
            seq: self.int()?,
            floor_seq: self.int()?,
            clock_ms: self.millis()?,
            counts: self.counts()?,
            next_expiry_ms: self.millis_or_null()?,
            bulk_cursor: self.int()?,
            bulk_joined: self.int()?,
        })
    }

    /// What [`is_due`] says.
    pub fn is_due(&mut self) -> Result<bool, Error> {
        Ok(self.int()? != 0)
    }

    /// Whether the next column is null: a row that was joined and not found begins so, and the
    /// mailbox among its entries.
    pub fn is_null_next(&self) -> bool {
        matches!(DB::get(&self.row, self.next), Ok(None::<i64>))
    }

    pub fn entry(&mut self) -> Result<Entry, Error> {
        Ok(Entry {
            msgbox: self.msgbox()?,
            message_id: self.message_id()?,
            seq: self.int()?,
            create_seq: self.int()?,
            create_ms: self.millis()?,
            update_ms: self.millis()?,
            version: self.int()?,
            content_version: self.int()?,
            read_ms: self.millis_or_null()?,
            delivered_ms: self.millis_or_null()?,
            expire_ms: self.millis()?,
        })
    }

    pub fn envelope(&mut self) -> Result<Envelope, Error> {
        let message_id = self.message_id()?;
        let kind = self.int()?;
        let sender = self.text_or_null()?;
        let from = Sender {
            profile_id: sender
                .map(|text| ProfileId::parse(&text))
                .transpose()
                .map_err(|_| corrupt("message", "sender_profile_id", &message_id))?,
            name: self.text()?,
            pic: self.text()?,
        };
        let recipients = self.text()?;
        Ok(Envelope {
            message_id,
            kind: MessageKind::from_code(kind)
                .ok_or_else(|| corrupt("message", "kind", &message_id))?,
            from,
            to: parse_recipients(&recipients)
                .ok_or_else(|| corrupt("message", "recipients", &message_id))?,
            notification: self.bytes_or_null()?.map(Into::into),
            version: self.int()?,
            modified: self.int()? != 0,
            send_ms: self.millis()?,
            update_ms: self.millis()?,
            expire_ms: self.millis()?,
            segment: self.segment()?,
        })
    }

    fn segment(&mut self) -> Result<Option<Segment>, Error> {
        let job_id = self.uuid_or_null()?;
        let recipients = self.int_or_null()?;
        let recalled = self.int_or_null()?.is_some();
        let Some(job_id) = job_id.map(JobId::new) else {
            return Ok(None);
        };
        let recipients = recipients.and_then(|count| u32::try_from(count).ok());
        Ok(Some(Segment {
            job_id,
            recipients: recipients.ok_or_else(|| corrupt("message", "recipient_count", &job_id))?,
            recalled,
        }))
    }

    fn job_change(&mut self, job_id: JobId) -> Result<Option<JobChange>, Error> {
        let turn = self.int_or_null()?;
        let numbers = [
            self.int_or_null()?,
            self.int_or_null()?,
            self.int_or_null()?,
            self.int_or_null()?,
        ];
        let Some(code) = turn else {
            return Ok(None);
        };
        let [Some(next_chunk), Some(chunks), Some(left), Some(waits)] = numbers else {
            return Err(corrupt("send_job", "change_chunk", &job_id));
        };
        Ok(Some(JobChange {
            kind: MessageChange::from_code(code)
                .ok_or_else(|| corrupt("send_job", "change_turn", &job_id))?,
            next_chunk,
            chunks,
            left,
            waits: waits != 0,
        }))
    }

    pub fn job(&mut self) -> Result<SendJob, Error> {
        let job_id = JobId::new(self.uuid()?);
        let wrong = |column| corrupt("send_job", column, &job_id);
        Ok(SendJob {
            job_id,
            message_id: self.uuid_or_null()?.map(MessageId::new),
            state: JobState::from_code(self.int()?).ok_or_else(|| wrong("state"))?,
            run_no: self.int()?,
            next_chunk: self.int()?,
            counts: JobCounts {
                accepted: self.int()?,
                duplicates: self.int()?,
                delivered: self.int()?,
                full: self.int()?,
                failed: self.int()?,
            },
            change: self.job_change(job_id)?,
            step_ms: self.millis()?,
            expire_ms: self.millis()?,
        })
    }

    /// The columns `content_kind, digest, content`; none if the content is null.
    pub fn content(&mut self, message_id: MessageId) -> Result<Option<Content>, Error> {
        let kind = self.int()?;
        let digest = self.bytes()?;
        let Some(encoded) = self.bytes_or_null()? else {
            return Ok(None);
        };
        Ok(Some(Content {
            kind: ContentKind::from_code(kind)
                .ok_or_else(|| corrupt("message", "content_kind", &message_id))?,
            encoded: encoded.into(),
            digest: digest
                .try_into()
                .map_err(|_| corrupt("message", "digest", &message_id))?,
        }))
    }

    /// The columns of an envelope and those of its content; none if the content is null.
    pub fn message(&mut self) -> Result<Result<Message, MessageId>, Error> {
        let envelope = self.envelope()?;
        let message_id = envelope.message_id;
        let content = self.content(message_id)?;
        Ok(content
            .map(|content| Message { envelope, content })
            .ok_or(message_id))
    }

    /// What an app overrides; null: nothing.
    pub fn settings(&mut self) -> Result<Settings, Error> {
        let Some(text) = self.text_or_null()? else {
            return Ok(Settings::default());
        };
        serde_json::from_str(&text).map_err(|error| corrupt("app", "settings", &error))
    }
}

/// Recipients are stored each between line feeds, so that one can be searched for.
pub fn recipients_text(to: &[ProfileId]) -> String {
    let mut text = String::from("\n");
    for recipient in to {
        text.push_str(recipient.as_str());
        text.push('\n');
    }
    text
}

/// What to search for in stored recipients.
pub fn recipient_needle(profile: &ProfileId) -> String {
    format!("\n{profile}\n")
}

/// The recipients of a stored text; none if it is none.
pub fn parse_recipients(text: &str) -> Option<Vec<ProfileId>> {
    let parsed: Result<Vec<ProfileId>, _> = text
        .split('\n')
        .filter(|piece| !piece.is_empty())
        .map(ProfileId::parse)
        .collect();
    parsed.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_found_whole_and_come_back() {
        let to: Vec<ProfileId> = ["ab", "b"]
            .map(|id| ProfileId::parse(id).expect("an id"))
            .into();
        let text = recipients_text(&to);
        assert_eq!(parse_recipients(&text), Some(to.clone()));
        let a = ProfileId::parse("a").expect("an id");
        assert!(text.contains(&recipient_needle(&to[0])) && !text.contains(&recipient_needle(&a)));
        assert_eq!(parse_recipients(&recipients_text(&[])), Some(Vec::new()));
    }
}
