//! The recount: compares the counters of mailboxes with their entries, and repairs them.

use domain::{Millis, ProfileId};
use storage::{Drift, Error, MailboxKey, RecountReport};

use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, wrap};
use crate::db::dialect::Kind;
use crate::db::row::RowReader;
use crate::db::statement::Statement;

/// Number of mailboxes recounted by one statement. Full ones hold a million entries together.
const MAILBOXES: i64 = 50;

/// The stored counters of a mailbox `b`, the same counted from its entries, and the numbers of
/// unsound entries: those without a message, and those of an outdated version, unless the change
/// is still due (the mailbox lacks bulk events, or a send job is under way) or the entry has
/// expired.
macro_rules! recount {
    ($mailboxes:literal, $now:literal) => {
        concat!(
            "WITH b AS MATERIALIZED (
                 SELECT mailbox.*,
                     (SELECT a.app_id FROM app a WHERE a.app_no = mailbox.app_no) AS app_id,
                     (SELECT a.bulk_head FROM app a WHERE a.app_no = mailbox.app_no) AS bulk_head,
                     (SELECT a.erase_step_ms FROM app a
                         WHERE a.app_no = mailbox.app_no) AS erase_step_ms
                 FROM ",
            $mailboxes,
            "
             )
             SELECT b.app_no, b.mailbox_id, b.app_id, b.profile_id,
                 b.inbox_total, b.inbox_unread, b.sent_total, b.seq, b.next_expiry_ms,
                 count(CASE WHEN e.box = 0 THEN 1 END),
                 count(CASE WHEN e.box = 0 AND e.read_ms IS NULL THEN 1 END),
                 count(CASE WHEN e.box = 1 THEN 1 END),
                 coalesce(max(e.seq), 0), (
                     SELECT coalesce(max(d.seq), 0) FROM msgbox_deleted d
                     WHERE d.app_no = b.app_no AND d.mailbox_id = b.mailbox_id
                 ), min(e.expire_ms),
                 count(CASE WHEN e.box IS NOT NULL AND m.message_id IS NULL THEN 1 END),
                 count(CASE WHEN b.bulk_cursor = b.bulk_head AND coalesce(j.is_due, 0) = 0
                     AND e.expire_ms > ",
            $now,
            " AND (m.version <> e.content_version OR m.recall_ms IS NOT NULL) THEN 1 END),
                 b.bulk_cursor, b.bulk_head, b.blocks, (
                     SELECT count(*) FROM block k
                     WHERE k.app_no = b.app_no AND k.mailbox_id = b.mailbox_id
                 ), b.conversations, (
                     SELECT count(*) FROM participant p
                     WHERE p.app_no = b.app_no AND p.mailbox_id = b.mailbox_id
                 ), b.erase_step_ms
             FROM b
             LEFT JOIN msgbox e ON e.app_no = b.app_no AND e.mailbox_id = b.mailbox_id
             LEFT JOIN message m ON m.app_no = e.app_no AND m.message_id = e.message_id
             LEFT JOIN send_job j ON j.app_no = m.app_no AND j.job_id = m.job_id
             GROUP BY b.app_no, b.mailbox_id, b.app_id, b.profile_id, b.inbox_total,
                 b.inbox_unread, b.sent_total, b.seq, b.next_expiry_ms, b.bulk_cursor,
                 b.bulk_head, b.blocks, b.conversations, b.erase_step_ms
             ORDER BY b.app_no, b.mailbox_id"
        )
    };
}

/// The remaining mailboxes of an app and those of the next apps, as two seeks: `SQLite` seeks a
/// comparison of two columns by the first one only.
pub static RECOUNT: Statement = Statement::new(
    "mailbox.recount",
    4,
    recount!(
        "(SELECT * FROM (
              SELECT * FROM (
                  SELECT * FROM mailbox WHERE app_no = $1 AND mailbox_id > $2
                  ORDER BY mailbox_id LIMIT $3
              ) AS of_app
              UNION ALL
              SELECT * FROM (
                  SELECT * FROM mailbox WHERE app_no > $1 ORDER BY app_no, mailbox_id LIMIT $3
              ) AS of_others
          ) AS part ORDER BY app_no, mailbox_id LIMIT $3) AS mailbox",
        "$4"
    ),
);

pub static RECOUNT_ONE: Statement = Statement::new(
    "mailbox.recount_one",
    3,
    recount!("mailbox WHERE app_no = $1 AND mailbox_id = $2", "$3"),
);

pub static LOCK: Statement = Statement::new(
    "mailbox.lock_one",
    2,
    "SELECT b.mailbox_id FROM mailbox b WHERE b.app_no = $1 AND b.mailbox_id = $2",
)
.locking("b");

pub static REPAIR: Statement = Statement::with_rows(
    "mailbox.repair",
    0,
    &[
        ("app_no", Kind::Int),
        ("mailbox_id", Kind::Int),
        ("inbox_total", Kind::Int),
        ("inbox_unread", Kind::Int),
        ("sent_total", Kind::Int),
        ("seq", Kind::Int),
        ("next_expiry_ms", Kind::Int),
        ("blocks", Kind::Int),
        ("conversations", Kind::Int),
    ],
    "UPDATE mailbox SET inbox_total = r.inbox_total, inbox_unread = r.inbox_unread,
         sent_total = r.sent_total, seq = r.seq, next_expiry_ms = r.next_expiry_ms,
         blocks = r.blocks, conversations = r.conversations
     FROM r WHERE mailbox.app_no = r.app_no AND mailbox.mailbox_id = r.mailbox_id",
);

/// A mailbox with its stored and its recounted numbers.
struct Recount {
    app_no: i64,
    mailbox_id: i64,
    app: String,
    profile: ProfileId,
    stored: Numbers,
    counted: Numbers,
    orphans: i64,
    outdated: i64,
    bulk_cursor: i64,
    bulk_head: i64,
    blocks: i64,
    counted_blocks: i64,
    conversations: i64,
    counted_conversations: i64,
    is_of_erased_app: bool,
}

/// The numbers of a mailbox that can be recounted.
#[derive(Clone, Copy)]
struct Numbers {
    inbox_total: i64,
    inbox_unread: i64,
    sent_total: i64,
    seq: i64,
    next_expiry_ms: Option<i64>,
}

/// Recounts the next mailboxes behind `after`, and repairs them if `repair` is set.
pub async fn run<DB: Backend>(
    pools: &Pools<DB>,
    now: Millis,
    after: Option<MailboxKey>,
    repair: bool,
) -> Result<RecountReport, Error> {
    let (app_no, mailbox_id) = after.map_or((0, 0), |key| (key.app_no, key.mailbox_id));
    let statement = BoundStatement::of(&RECOUNT)
        .bind(app_no)
        .bind(mailbox_id)
        .bind(MAILBOXES)
        .bind(now.0);
    let rows = Connection::of(&pools.read).await?.fetch(statement).await?;
    let mut audit = RecountReport::default();
    for mut row in rows {
        let recount = recount(&mut row)?;
        audit.mailboxes += 1;
        let counted = recount.counted.inbox_total + recount.counted.sent_total;
        audit.entries += u64::try_from(counted).unwrap_or(0);
        audit.next = Some(MailboxKey {
            app_no: recount.app_no,
            mailbox_id: recount.mailbox_id,
        });
        let drifts = !recount.drift(false).is_empty();
        if drifts && repair {
            audit.drift.extend(repair_one(pools, now, &recount).await?);
        } else {
            audit.drift.extend(recount.drift(false));
        }
    }
    if audit.mailboxes < u64::try_from(MAILBOXES).unwrap_or(0) {
        audit.next = None;
    }
    Ok(audit)
}

/// Recounts one mailbox again under its lock, and writes the result.
async fn repair_one<DB: Backend>(
    pools: &Pools<DB>,
    now: Millis,
    found: &Recount,
) -> Result<Vec<Drift>, Error> {
    let mut transaction = Transaction::begin(&pools.write).await?;
    let connection = transaction.connection();
    let of_it = |statement| {
        BoundStatement::of(statement)
            .bind(found.app_no)
            .bind(found.mailbox_id)
    };
    connection.fetch(of_it(&LOCK)).await?;
    let mut drift = Vec::new();
    for mut row in connection.fetch(of_it(&RECOUNT_ONE).bind(now.0)).await? {
        let recount = recount(&mut row)?;
        let counted = recount.counted;
        let mut statement = BoundStatement::of(&REPAIR);
        statement.push_row([
            recount.app_no.into(),
            recount.mailbox_id.into(),
            counted.inbox_total.into(),
            counted.inbox_unread.into(),
            counted.sent_total.into(),
            counted.seq.max(recount.stored.seq).into(),
            counted.next_expiry_ms.into(),
            recount.counted_blocks.into(),
            recount.counted_conversations.into(),
        ]);
        connection.change("mailbox", statement).await?;
        drift = recount.drift(true);
    }
    transaction.commit().await.map_err(wrap::<DB>)?;
    Ok(drift)
}

impl Recount {
    /// Returns whether a recount can repair the mailbox. It cannot replace missing messages.
    const fn is_sound(&self) -> bool {
        self.orphans == 0 && self.outdated == 0 && self.bulk_cursor <= self.bulk_head
    }

    /// Returns the numbers that differ; none while the app is being erased, table by table.
    fn drift(&self, repaired: bool) -> Vec<Drift> {
        if self.is_of_erased_app {
            return Vec::new();
        }
        let (stored, counted) = (self.stored, self.counted);
        let due_too_late = match (stored.next_expiry_ms, counted.next_expiry_ms) {
            (Some(stored), Some(counted)) => stored > counted,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let far = |time: Option<i64>| time.unwrap_or(i64::MAX);
        [
            (
                stored.inbox_total != counted.inbox_total,
                "inbox_total",
                stored.inbox_total,
                counted.inbox_total,
            ),
            (
                stored.inbox_unread != counted.inbox_unread,
                "inbox_unread",
                stored.inbox_unread,
                counted.inbox_unread,
            ),
            (
                stored.sent_total != counted.sent_total,
                "sent_total",
                stored.sent_total,
                counted.sent_total,
            ),
            (stored.seq < counted.seq, "seq", stored.seq, counted.seq),
            (
                due_too_late,
                "next_expiry_ms",
                far(stored.next_expiry_ms),
                far(counted.next_expiry_ms),
            ),
            (
                self.orphans > 0,
                "entries without a message",
                self.orphans,
                0,
            ),
            (
                self.outdated > 0,
                "entries of another version",
                self.outdated,
                0,
            ),
            (
                self.blocks != self.counted_blocks,
                "blocks",
                self.blocks,
                self.counted_blocks,
            ),
            (
                self.conversations != self.counted_conversations,
                "conversations",
                self.conversations,
                self.counted_conversations,
            ),
            (
                self.bulk_cursor > self.bulk_head,
                "bulk_cursor",
                self.bulk_cursor,
                self.bulk_head,
            ),
        ]
        .into_iter()
        .filter(|(differs, ..)| *differs)
        .map(|(_, field, stored, counted)| Drift {
            app: self.app.clone(),
            profile: Some(self.profile.clone()),
            field,
            stored,
            counted,
            repaired: repaired && self.is_sound(),
        })
        .collect()
    }
}

fn recount<DB: Backend>(row: &mut RowReader<DB>) -> Result<Recount, Error> {
    Ok(Recount {
        app_no: row.int()?,
        mailbox_id: row.int()?,
        app: row.text()?,
        profile: row.profile_id("mailbox")?,
        stored: Numbers {
            inbox_total: row.int()?,
            inbox_unread: row.int()?,
            sent_total: row.int()?,
            seq: row.int()?,
            next_expiry_ms: row.int_or_null()?,
        },
        counted: Numbers {
            inbox_total: row.int()?,
            inbox_unread: row.int()?,
            sent_total: row.int()?,
            seq: row.int()?.max(row.int()?),
            next_expiry_ms: row.int_or_null()?,
        },
        orphans: row.int()?,
        outdated: row.int()?,
        bulk_cursor: row.int()?,
        bulk_head: row.int()?,
        blocks: row.int()?,
        counted_blocks: row.int()?,
        conversations: row.int()?,
        counted_conversations: row.int()?,
        is_of_erased_app: row.int()? > 0,
    })
}
