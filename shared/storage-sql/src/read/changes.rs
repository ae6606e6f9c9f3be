//! What changed in a mailbox after a place in its feed.

use domain::mailbox::Counts;
use domain::{MessageId, Millis, Msgbox, ProfileId};
use storage::{Bookmark, Change, Error, Feed, FeedPart, Item, MailboxKey, Position, Since};
use uuid::Uuid;

use super::Seen;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::error::corrupt;
use crate::fields::{Fields, entry_columns, envelope_columns, is_due};
use crate::rows::Call;
use crate::statement::Statement;

/// Entries and tombstones after `$3` up to `$4`, in the order of their numbers, `$5` of
/// them. Contents come as long as they have `$6` bytes together, but the first one always.
/// The mailbox comes with every row, and alone if there is none. A tombstone has no
/// `create_ms`.
static CHANGES: Statement = Statement::new(
    7,
    concat!(
        "WITH owner AS (
             SELECT b.mailbox_id, b.seq, b.floor_seq, b.inbox_total, b.inbox_unread,
                 b.sent_total, ",
        is_due!("$7"),
        " AS is_due FROM mailbox b CROSS JOIN app a
             WHERE b.app_no = $1 AND b.profile_id = $2 AND a.app_no = $1
         ), changed AS (
             SELECT * FROM (
                 SELECT seq, box, message_id, create_seq, create_ms, update_ms, version,
                     content_version, read_ms, delivered_ms, expire_ms
                 FROM msgbox WHERE app_no = $1
                 AND mailbox_id = (SELECT mailbox_id FROM owner) AND seq > $3 AND seq <= $4
                 ORDER BY seq LIMIT $5
             ) AS live
             UNION ALL
             SELECT gone.*, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM (
                 SELECT seq, box, message_id, create_seq FROM msgbox_deleted
                 WHERE app_no = $1
                 AND mailbox_id = (SELECT mailbox_id FROM owner) AND seq > $3 AND seq <= $4
                 ORDER BY seq LIMIT $5
             ) AS gone
             ORDER BY seq LIMIT $5
         ), sized AS (
             SELECT c.*, row_number() OVER (ORDER BY c.seq) AS place,
                 sum(m.size_bytes) OVER (ORDER BY c.seq ROWS UNBOUNDED PRECEDING) AS bytes
             FROM changed c LEFT JOIN message m ON m.app_no = $1
                 AND m.message_id = c.message_id AND c.create_ms IS NOT NULL
         )
         SELECT owner.is_due, s.epoch, owner.mailbox_id, owner.seq, owner.floor_seq,
             owner.inbox_total, owner.inbox_unread, owner.sent_total, e.create_seq, e.create_ms, ",
        entry_columns!(),
        ", ",
        envelope_columns!(),
        ", m.content_kind, m.digest, CASE WHEN e.place = 1 OR e.bytes <= $6 THEN m.content END
         FROM owner JOIN server s ON s.server_no = 1 LEFT JOIN sized e ON true
         LEFT JOIN message m ON m.app_no = $1 AND m.message_id = e.message_id
             AND e.create_ms IS NOT NULL
         ORDER BY e.seq"
    ),
);

/// The feed after a place, and the epoch.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    since: Since,
    part: FeedPart,
    now: Millis,
) -> Result<Seen<(Feed, Uuid)>, Error> {
    let (after, until) = since.bounds();
    let call = Call::of(&CHANGES)
        .with(app_no)
        .with(owner.as_str())
        .with(after)
        .with(until)
        .with(part.changes_max)
        .with(i64::try_from(part.bytes_max).unwrap_or(i64::MAX))
        .with(now.0);
    let mut rows = connection.fetch(call).await?.into_iter();
    let Some(mut first) = rows.next() else {
        return Ok(Seen::Missing);
    };
    let head = Head::take(&mut first)?;
    if head.is_due {
        return Ok(Seen::Due);
    }
    let mut read = Read::default();
    let mut next = Some(first);
    while let Some(mut row) = next.take() {
        if !read.take(&mut row)? {
            break;
        }
        next = rows.next();
        if let Some(row) = &mut next {
            Head::take(row)?;
        }
    }
    read.was_cut |= read.changes.len() >= part.changes_max as usize;
    Ok(Seen::There((head.feed(app_no, since, read), head.epoch)))
}

/// What comes with every row.
struct Head {
    is_due: bool,
    epoch: Uuid,
    mailbox_id: i64,
    seq: i64,
    floor_seq: i64,
    counts: Counts,
}

/// The rows, with what they were when they came.
#[derive(Default)]
struct Read {
    changes: Vec<Row>,
    was_cut: bool,
}

enum Row {
    Live(Box<Item>),
    Gone {
        seq: i64,
        create_seq: i64,
        msgbox: Msgbox,
        message_id: MessageId,
    },
}

impl Read {
    /// Whether there may be more.
    fn take<DB: Backend>(&mut self, row: &mut Fields<DB>) -> Result<bool, Error> {
        let Some(create_seq) = row.int_or_null()? else {
            return Ok(false);
        };
        if row.int_or_null()?.is_none() {
            let (msgbox, message_id) = (row.msgbox()?, row.message_id()?);
            self.changes.push(Row::Gone {
                seq: row.int()?,
                create_seq,
                msgbox,
                message_id,
            });
            return Ok(true);
        }
        let entry = row.entry()?;
        match row.message()? {
            Ok(message) => self.changes.push(Row::Live(Box::new(Item {
                entry,
                message: message.into(),
            }))),
            Err(message_id) if self.changes.is_empty() => {
                return Err(corrupt("message", "content", &message_id));
            }
            Err(_) => self.was_cut = true,
        }
        Ok(!self.was_cut)
    }
}

impl Head {
    fn take<DB: Backend>(row: &mut Fields<DB>) -> Result<Self, Error> {
        Ok(Self {
            is_due: row.is_due()?,
            epoch: row.uuid()?,
            mailbox_id: row.int()?,
            seq: row.int()?,
            floor_seq: row.int()?,
            counts: row.counts()?,
        })
    }

    fn feed(&self, app_no: i64, since: Since, read: Read) -> Feed {
        let mut feed = Feed {
            mailbox: MailboxKey {
                app_no,
                mailbox_id: self.mailbox_id,
            },
            broken: None,
            changes: Vec::new(),
            reached: self.at_head(),
            more: false,
            counts: self.counts,
            head: self.seq,
        };
        let stretch = match since.stretch(self.epoch, self.seq, self.floor_seq) {
            Ok(stretch) => stretch,
            Err(broken) => {
                feed.broken = Some(broken);
                return feed;
            }
        };
        let last = read.changes.last().map(Row::seq).filter(|_| read.was_cut);
        feed.reached = stretch.seen(self.epoch, last.unwrap_or(stretch.until), self.seq);
        feed.more = feed.reached.position.seq < self.seq;
        for row in read.changes {
            let bookmark = stretch.seen(self.epoch, row.seq(), self.seq);
            let change = match row {
                Row::Gone {
                    create_seq,
                    msgbox,
                    message_id,
                    ..
                } if stretch.may_have_shown(create_seq) => Change::Deleted(msgbox, message_id),
                Row::Gone { .. } => continue,
                Row::Live(item) if stretch.had(item.entry.create_seq) => Change::Updated(item),
                Row::Live(item) => Change::Received(item),
            };
            feed.changes.push((bookmark, change));
        }
        feed
    }

    fn at_head(&self) -> Bookmark {
        let position = Position {
            epoch: self.epoch,
            seq: self.seq,
        };
        position.into()
    }
}

impl Row {
    fn seq(&self) -> i64 {
        match self {
            Self::Live(item) => item.entry.seq,
            Self::Gone { seq, .. } => *seq,
        }
    }
}
