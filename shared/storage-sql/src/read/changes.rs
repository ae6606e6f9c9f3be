//! Pages of the change feed of a mailbox.

use domain::mailbox::Counts;
use domain::number::saturating;
use domain::{Entry, MessageId, Msgbox, ProfileId};
use storage::{
    Error, FeedChange, FeedLimits, FeedOffset, FeedPage, FeedPosition, FeedStart, Item, MailboxKey,
};
use uuid::Uuid;

use super::ReadOutcome;
use super::items::Messages;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::row::RowReader;
use crate::db::statement::Statement;
use crate::table::mailbox::{MailboxReadiness, state};
use crate::table::msgbox::entry_columns;

/// The first `$5` entries with a `seq` after `$3` and tombstones with one after `$4`, in the
/// order of `seq`. Every row repeats the mailbox; without changes it is the only row. The columns of the
/// entry are null in the row of a tombstone, and the other way round: there is no mailbox 0.
pub static CHANGES: Statement = Statement::new(
    "msgbox.changes",
    6,
    concat!(
        "WITH owner AS (
             SELECT b.mailbox_id, b.seq, b.floor_seq, b.inbox_total, b.inbox_unread,
                 b.sent_total, ",
        state!("$6"),
        " AS state FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2
         ), changed AS (
             SELECT e.seq AS change_seq, NULL AS gone_box, NULL AS gone_message_id, ",
        entry_columns!(),
        " FROM (
                 SELECT * FROM msgbox WHERE app_no = $1
                 AND mailbox_id = (SELECT mailbox_id FROM owner)
                 AND seq > $3 AND seq > 0
                 ORDER BY seq LIMIT $5
             ) AS e
             UNION ALL
             SELECT gone.seq, gone.box, gone.message_id, ",
        entry_columns!(),
        " FROM (
                 SELECT seq, box, message_id FROM msgbox_deleted
                 WHERE app_no = $1
                 AND mailbox_id = (SELECT mailbox_id FROM owner) AND seq > $4
                 ORDER BY seq LIMIT $5
             ) AS gone LEFT JOIN msgbox e ON e.app_no = $1 AND e.mailbox_id = 0
             ORDER BY change_seq LIMIT $5
         )
         SELECT owner.state, s.epoch, owner.mailbox_id, owner.seq, owner.floor_seq,
             owner.inbox_total, owner.inbox_unread, owner.sent_total, e.change_seq,
             e.gone_box, e.gone_message_id, ",
        entry_columns!(),
        " FROM owner JOIN server s ON s.server_no = 1 LEFT JOIN changed e ON true
         ORDER BY e.change_seq"
    ),
);

/// Reads a page of the feed. Returns it with the epoch of the snapshot.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    messages: Messages<'_>,
    owner: &ProfileId,
    start: FeedStart,
    limits: FeedLimits,
) -> Result<ReadOutcome<(FeedPage, Uuid)>, Error> {
    let (entries_after, deletions_after) = start.bounds();
    let statement = BoundStatement::of(&CHANGES)
        .bind(messages.app_no)
        .bind(owner.as_str())
        .bind(entries_after)
        .bind(deletions_after)
        .bind(limits.examined_max())
        .bind(messages.now.0);
    let mut found = None;
    let mut rows = Vec::new();
    for mut row in connection.fetch(statement).await? {
        found = Some(FeedHeader::take(&mut row)?);
        rows.extend(Row::take(&mut row)?);
    }
    let Some(head) = found else {
        return Ok(ReadOutcome::Missing);
    };
    if head.state == MailboxReadiness::Due {
        return Ok(ReadOutcome::Due);
    }
    let app_no = messages.app_no;
    let read = Read::of(connection, messages, rows, limits).await?;
    let feed = head.feed(app_no, start, read);
    Ok(ReadOutcome::of(head.state, (feed, head.epoch)))
}

/// Columns of the mailbox and of the server, which every row repeats.
struct FeedHeader {
    state: MailboxReadiness,
    epoch: Uuid,
    mailbox_id: i64,
    seq: i64,
    floor_seq: i64,
    counts: Counts,
}

/// A row of the feed: a live entry, without or with its message, or a tombstone.
enum Row<Live> {
    Live(Live),
    Gone(Gone),
}

struct Gone {
    msgbox: Msgbox,
    message_id: MessageId,
    seq: i64,
}

impl Row<Entry> {
    /// Decodes the rest of a row. None if the row holds the mailbox only.
    fn take<DB: Backend>(row: &mut RowReader<DB>) -> Result<Option<Self>, Error> {
        let Some(seq) = row.int_or_null()? else {
            return Ok(None);
        };
        if !row.is_null_next() {
            return Ok(Some(Self::Gone(Gone {
                msgbox: row.msgbox()?,
                message_id: row.message_id()?,
                seq,
            })));
        }
        // No tombstone: no box and no message of one.
        row.int_or_null()?;
        row.uuid_or_null()?;
        Ok(Some(Self::Live(row.entry()?)))
    }

    const fn seq(&self) -> i64 {
        match self {
            Self::Live(entry) => entry.seq,
            Self::Gone(gone) => gone.seq,
        }
    }

    const fn msgbox(&self) -> Msgbox {
        match self {
            Self::Live(entry) => entry.msgbox,
            Self::Gone(gone) => gone.msgbox,
        }
    }
}

/// The rows with their messages, up to the limits of the page.
struct Read {
    changes: Vec<(i64, Row<Box<Item>>)>,
    /// The last change that was examined, if the page ends there.
    until_seq: Option<i64>,
}

impl Read {
    async fn of<DB: Backend>(
        connection: &mut Connection<DB>,
        messages: Messages<'_>,
        mut rows: Vec<Row<Entry>>,
        limits: FeedLimits,
    ) -> Result<Self, Error> {
        let is_full = |rows: &[_], rows_max: u32| rows.len() >= rows_max as usize;
        let last = |rows: &[Row<Entry>]| rows.last().map(Row::seq);
        let mut until_seq = last(&rows).filter(|_| is_full(&rows, limits.examined_max()));
        rows.retain(|row| limits.only.is_none_or(|only| row.msgbox() == only));
        if is_full(&rows, limits.changes_max) {
            rows.truncate(limits.changes_max as usize);
            until_seq = last(&rows);
        }
        let entries = rows.iter().filter_map(|row| match row {
            Row::Live(entry) => Some(entry.clone()),
            Row::Gone(_) => None,
        });
        let items = messages.items(connection, entries.collect(), saturating(limits.bytes_max));
        let mut items = items.await?.found.into_iter().peekable();
        let mut read = Self {
            changes: Vec::with_capacity(rows.len()),
            until_seq,
        };
        for row in rows {
            let seq = row.seq();
            let change = match row {
                Row::Gone(gone) => Row::Gone(gone),
                Row::Live(entry) => match items.next_if(|item| item.entry.seq == entry.seq) {
                    Some(item) => Row::Live(Box::new(item)),
                    None if read.changes.is_empty() => {
                        return Err(corrupt("message", "content", &entry.message_id));
                    }
                    None => {
                        read.until_seq = read.changes.last().map(|(seq, _)| *seq);
                        break;
                    }
                },
            };
            read.changes.push((seq, change));
        }
        Ok(read)
    }
}

impl FeedHeader {
    fn take<DB: Backend>(row: &mut RowReader<DB>) -> Result<Self, Error> {
        Ok(Self {
            state: row.mailbox_readiness()?,
            epoch: row.uuid()?,
            mailbox_id: row.int()?,
            seq: row.int()?,
            floor_seq: row.int()?,
            counts: row.counts()?,
        })
    }

    fn feed(&self, app_no: i64, start: FeedStart, read: Read) -> FeedPage {
        let mut feed = FeedPage {
            mailbox: MailboxKey {
                app_no,
                mailbox_id: self.mailbox_id,
            },
            resync: None,
            changes: Vec::new(),
            reached: self.at_head(),
            more: false,
            counts: self.counts,
            head: self.seq,
        };
        let backlog = match start.backlog(self.epoch, self.seq, self.floor_seq) {
            Ok(backlog) => backlog,
            Err(reason) => {
                feed.resync = Some(reason);
                return feed;
            }
        };
        let position_at = |seq| backlog.position_at(self.epoch, seq, self.seq);
        if let Some(seq) = read.until_seq {
            feed.reached = position_at(seq);
            feed.more = seq < self.seq;
        }
        for (seq, row) in read.changes {
            let position = position_at(seq);
            let change = match row {
                Row::Gone(gone) => FeedChange::Deleted(gone.msgbox, gone.message_id),
                Row::Live(item) if backlog.begins_after(item.entry.create_seq) => {
                    FeedChange::Updated(item)
                }
                Row::Live(item) => FeedChange::Received(item),
            };
            feed.changes.push((position, change));
        }
        feed
    }

    fn at_head(&self) -> FeedPosition {
        let offset = FeedOffset {
            epoch: self.epoch,
            seq: self.seq,
        };
        offset.into()
    }
}
