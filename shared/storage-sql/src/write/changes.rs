//! Writes the changes of a batch.

mod statements;

use domain::bulk::{BulkEvent, Tally};
use domain::ledger::{Changes, Tombstone};
use domain::limits::TALLY_SLOTS;
use domain::segment::SendJob;
use domain::{Entry, Mailbox, Message, MessageId, Msgbox, ProfileId, Settings};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::{BoundStatement, Value};
use crate::db::connection::Connection;
use crate::db::row::recipients_text;
use statements::{
    BULK_EVENTS, BULK_HEADS, CONTENTS, ENTRIES, FLOORS, GONE_ENTRIES, GONE_MESSAGES, JOBS,
    MAILBOXES, NEW_ENTRIES, NEW_MESSAGES, RECALLED_MESSAGES, SETTINGS, TALLIES, TOMBSTONES,
};

/// The statements of a batch, with their rows.
struct Writes {
    settings: BoundStatement,
    new_messages: BoundStatement,
    contents: BoundStatement,
    gone_messages: BoundStatement,
    recalled_messages: BoundStatement,
    bulk_heads: BoundStatement,
    bulk_events: BoundStatement,
    tallies: BoundStatement,
    jobs: BoundStatement,
    new_entries: BoundStatement,
    entries: BoundStatement,
    gone_entries: BoundStatement,
    tombstones: BoundStatement,
    floors: BoundStatement,
    mailboxes: BoundStatement,
}

/// Writes what the ledgers say has changed. Every row must be there that is to change.
pub async fn write<DB: Backend>(
    connection: &mut Connection<DB>,
    changes: &[(i64, Changes)],
) -> Result<(), Error> {
    let mut writes = Writes::new();
    for (app_no, changes) in changes {
        writes.add(*app_no, changes);
    }
    connection.change("app", writes.settings).await?;
    connection.change("app", writes.bulk_heads).await?;
    connection.change("bulk", writes.bulk_events).await?;
    connection.change("message", writes.new_messages).await?;
    connection.change("message", writes.contents).await?;
    connection.change("message", writes.gone_messages).await?;
    connection
        .change("message", writes.recalled_messages)
        .await?;
    connection.change("send_job", writes.jobs).await?;
    connection.change("msgbox", writes.gone_entries).await?;
    connection.change("msgbox", writes.entries).await?;
    connection.change("msgbox", writes.new_entries).await?;
    connection
        .change("msgbox_deleted", writes.tombstones)
        .await?;
    if !writes.floors.is_empty() {
        connection.execute(writes.floors).await?;
    }
    connection.change("mailbox", writes.mailboxes).await?;
    connection.change("bulk_tally", writes.tallies).await
}

impl Writes {
    fn new() -> Self {
        Self {
            settings: BoundStatement::of(&SETTINGS),
            new_messages: BoundStatement::of(&NEW_MESSAGES),
            contents: BoundStatement::of(&CONTENTS),
            gone_messages: BoundStatement::of(&GONE_MESSAGES),
            recalled_messages: BoundStatement::of(&RECALLED_MESSAGES),
            bulk_heads: BoundStatement::of(&BULK_HEADS),
            bulk_events: BoundStatement::of(&BULK_EVENTS),
            tallies: BoundStatement::of(&TALLIES),
            jobs: BoundStatement::of(&JOBS),
            new_entries: BoundStatement::of(&NEW_ENTRIES),
            entries: BoundStatement::of(&ENTRIES),
            gone_entries: BoundStatement::of(&GONE_ENTRIES),
            tombstones: BoundStatement::of(&TOMBSTONES),
            floors: BoundStatement::of(&FLOORS),
            mailboxes: BoundStatement::of(&MAILBOXES),
        }
    }

    fn add(&mut self, app_no: i64, changes: &Changes) {
        self.add_bulk(app_no, changes);
        if let Some(settings) = &changes.settings {
            self.settings
                .push_row([app_no.into(), settings_text(settings).into()]);
        }
        for message in &changes.new_messages {
            self.new_messages.push_row(new_message(app_no, message));
        }
        for message in &changes.contents {
            self.contents.push_row(content(app_no, message));
        }
        for message_id in &changes.gone_messages {
            self.gone_messages
                .push_row([app_no.into(), message_id.uuid().into()]);
        }
        for job in &changes.jobs {
            self.jobs.push_row(job_row(app_no, job));
        }
        for (mailbox_id, entry) in &changes.new_entries {
            self.new_entries
                .push_row(entry_row(app_no, *mailbox_id, entry));
        }
        for (mailbox_id, entry) in &changes.entries {
            self.entries.push_row(entry_row(app_no, *mailbox_id, entry));
        }
        for key in &changes.gone_entries {
            self.gone_entries.push_row(gone_entry(app_no, *key));
        }
        for tombstone in &changes.tombstones {
            self.tombstones.push_row(tombstone_row(app_no, tombstone));
        }
        for (mailbox_id, floor_seq) in &changes.floors {
            self.floors
                .push_row([app_no.into(), (*mailbox_id).into(), (*floor_seq).into()]);
        }
        for mailbox in &changes.mailboxes {
            self.mailboxes.push_row(mailbox_row(app_no, mailbox));
        }
    }

    fn add_bulk(&mut self, app_no: i64, changes: &Changes) {
        for (message_id, recall_ms) in &changes.recalled_messages {
            self.recalled_messages.push_row([
                app_no.into(),
                message_id.uuid().into(),
                recall_ms.0.into(),
                [].as_slice().into(),
            ]);
        }
        for event in &changes.bulk_events {
            self.bulk_events.push_row(bulk_event(app_no, event));
        }
        if let Some(last) = changes.bulk_events.last() {
            self.bulk_heads
                .push_row([app_no.into(), last.bulk_no.into()]);
        }
        // One slot for a whole batch: two that run at once seldom wait for one another.
        let slot = changes.mailboxes.first();
        let slot = slot.map_or(0, |mailbox| mailbox.mailbox_id % TALLY_SLOTS);
        for (message_id, tally) in &changes.tallies {
            self.tallies
                .push_row(tally_row(app_no, *message_id, slot, tally));
        }
    }
}

fn bulk_event(app_no: i64, event: &BulkEvent) -> [Value; 6] {
    [
        app_no.into(),
        event.bulk_no.into(),
        event.change.code().into(),
        event.message_id.uuid().into(),
        event.audience.code().into(),
        event.expire_ms.0.into(),
    ]
}

fn tally_row(app_no: i64, message_id: MessageId, slot: i64, tally: &Tally) -> [Value; 6] {
    [
        app_no.into(),
        message_id.uuid().into(),
        slot.into(),
        tally.settled.into(),
        tally.read.into(),
        tally.deleted.into(),
    ]
}

fn settings_text(settings: &Settings) -> String {
    serde_json::to_string(settings).expect("settings have no map keys that are no strings")
}

fn new_message(app_no: i64, message: &Message) -> [Value; 19] {
    let Message { envelope, content } = message;
    [
        app_no.into(),
        envelope.message_id.uuid().into(),
        envelope.kind.code().into(),
        envelope
            .from
            .profile_id
            .as_ref()
            .map(ProfileId::as_str)
            .into(),
        envelope.from.name.as_str().into(),
        envelope.from.pic.as_str().into(),
        recipients_text(&envelope.to).into(),
        envelope.notification.as_deref().into(),
        envelope.version.into(),
        i64::from(envelope.modified).into(),
        envelope.send_ms.0.into(),
        envelope.update_ms.0.into(),
        envelope.expire_ms.0.into(),
        content.kind.code().into(),
        content.digest.as_slice().into(),
        content.encoded.as_ref().into(),
        size(message).into(),
        envelope.segment.map(|segment| segment.job_id.uuid()).into(),
        envelope.segment.map(|segment| segment.recipients).into(),
    ]
}

fn content(app_no: i64, message: &Message) -> [Value; 8] {
    let Message { envelope, content } = message;
    [
        app_no.into(),
        envelope.message_id.uuid().into(),
        envelope.version.into(),
        envelope.update_ms.0.into(),
        content.kind.code().into(),
        content.digest.as_slice().into(),
        content.encoded.as_ref().into(),
        size(message).into(),
    ]
}

/// The bytes of a content: at most [`domain::limits::CONTENT_BYTES_CAP`].
fn size(message: &Message) -> i64 {
    i64::try_from(message.content.encoded.len()).unwrap_or(i64::MAX)
}

fn job_row(app_no: i64, job: &SendJob) -> [Value; 19] {
    let (counts, change) = (&job.counts, job.change.as_ref());
    [
        app_no.into(),
        job.job_id.uuid().into(),
        job.message_id.map(MessageId::uuid).into(),
        job.state.code().into(),
        job.run_no.into(),
        job.next_chunk.into(),
        counts.accepted.into(),
        counts.duplicates.into(),
        counts.delivered.into(),
        counts.full.into(),
        counts.failed.into(),
        change.map(|change| change.kind.code()).into(),
        change.map(|change| change.next_chunk).into(),
        change.map(|change| change.chunks).into(),
        change.map(|change| change.left).into(),
        change.map(|change| i64::from(change.waits)).into(),
        job.step_ms.0.into(),
        job.expire_ms.0.into(),
        i64::from(job.next_step().is_some()).into(),
    ]
}

fn entry_row(app_no: i64, mailbox_id: i64, entry: &Entry) -> [Value; 13] {
    [
        app_no.into(),
        mailbox_id.into(),
        entry.msgbox.code().into(),
        entry.message_id.uuid().into(),
        entry.seq.into(),
        entry.create_seq.into(),
        entry.create_ms.0.into(),
        entry.update_ms.0.into(),
        entry.version.into(),
        entry.content_version.into(),
        entry.read_ms.map(|time| time.0).into(),
        entry.delivered_ms.map(|time| time.0).into(),
        entry.expire_ms.0.into(),
    ]
}

fn gone_entry(app_no: i64, key: (i64, Msgbox, MessageId)) -> [Value; 4] {
    let (mailbox_id, msgbox, message_id) = key;
    [
        app_no.into(),
        mailbox_id.into(),
        msgbox.code().into(),
        message_id.uuid().into(),
    ]
}

fn tombstone_row(app_no: i64, tombstone: &Tombstone) -> [Value; 7] {
    [
        app_no.into(),
        tombstone.mailbox_id.into(),
        tombstone.seq.into(),
        tombstone.msgbox.code().into(),
        tombstone.message_id.uuid().into(),
        tombstone.create_seq.into(),
        tombstone.delete_ms.0.into(),
    ]
}

fn mailbox_row(app_no: i64, mailbox: &Mailbox) -> [Value; 10] {
    [
        app_no.into(),
        mailbox.mailbox_id.into(),
        mailbox.seq.into(),
        mailbox.floor_seq.into(),
        mailbox.clock_ms.0.into(),
        mailbox.counts.inbox_total.into(),
        mailbox.counts.inbox_unread.into(),
        mailbox.counts.sent_total.into(),
        mailbox.next_expiry_ms.map(|time| time.0).into(),
        mailbox.bulk_cursor.into(),
    ]
}
