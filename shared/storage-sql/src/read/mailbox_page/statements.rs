//! The statements of a page of a mailbox.
//!
//! A statement is built of nested macros, from the inside out:
//!
//! 1. `seen_*`: the rows examined, from one index seek or a merge of two, bounded by a limit;
//! 2. `all` or `matching`: the page of them, without or with criteria to check;
//! 3. `owner`: the mailbox, read in the same snapshot. It is returned as one more row, in the
//!    columns of an entry and without a box, so that it comes even if no entry does.
//!
//! Parameters, the same in all statements up to `$7`, so that they can be bound alike:
//!
//! | parameters | meaning |
//! | --- | --- |
//! | `$1`, `$2` | app and owner |
//! | `$3` | bound: message id in `inbox`, or `seq` in the order of change |
//! | `$4` | bound: message id in `sent`; in [`one_box`] the box |
//! | `$5`, `$6` | maximum number of rows examined in `inbox` and in `sent` |
//! | `$7` | maximum number of rows examined |
//! | `$8` to `$17` | criteria, each null if unused |
//! | `$18`, `$19` | rows returned, and rows skipped |
//! | `$20` | current time |
//!
//! Without criteria (`all`) rows returned, rows skipped and time follow the bounds directly:
//! `$7` to `$9`, in [`one_box`] `$5` to `$7`.

use domain::page::{Direction, Sort, SortField};

use crate::db::statement::Statement;
use crate::read::scan::message_matches;
use crate::table::mailbox::state;
use crate::table::msgbox::entry_columns;

/// The rows in the order of creation: a merge of one seek in each box, because message ids are
/// ordered within a box only. `$3` and `$4` are the bounds, `$5` and `$6` the limits of each.
macro_rules! seen_by_create {
    ($beyond:literal, $direction:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT * FROM (
                     SELECT * FROM msgbox WHERE app_no = $1
                     AND mailbox_id = (SELECT mailbox_id FROM owner)
                     AND box = 0 AND message_id ",
            $beyond,
            " $3
                     ORDER BY message_id ",
            $direction,
            " LIMIT $5
                 ) AS inbox
                 UNION ALL
                 SELECT * FROM (
                     SELECT * FROM msgbox WHERE app_no = $1
                     AND mailbox_id = (SELECT mailbox_id FROM owner)
                     AND box = 1 AND message_id ",
            $beyond,
            " $4
                     ORDER BY message_id ",
            $direction,
            " LIMIT $6
                 ) AS sent
             ) AS boxes
             ORDER BY message_id ",
            $direction,
            ", box ",
            $direction,
            " LIMIT $7"
        )
    };
}

/// The rows of box `$4` in the order of creation: one seek behind `$3`.
macro_rules! seen_in_one {
    ($beyond:literal, $direction:literal) => {
        concat!(
            "SELECT * FROM msgbox WHERE app_no = $1
             AND mailbox_id = (SELECT mailbox_id FROM owner) AND box = $4 AND message_id ",
            $beyond,
            " $3
             ORDER BY message_id ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// The rows in the order of change: one seek behind `seq` `$3`; `$4` to `$6` are unused.
macro_rules! seen_by_update {
    ($beyond:literal, $direction:literal) => {
        concat!(
            "SELECT * FROM msgbox WHERE app_no = $1
             AND mailbox_id = (SELECT mailbox_id FROM owner) AND seq ",
            $beyond,
            " $3 AND seq > 0
             ORDER BY seq ",
            $direction,
            " LIMIT $7"
        )
    };
}

/// The criteria of an entry `e` and its message `m`: `$8` to `$17`. A segment message is treated as
/// one to the owner only.
macro_rules! entry_matches {
    () => {
        concat!(
            "($8 IS NULL OR e.box = $8)
             AND ($9 IS NULL OR (e.read_ms IS NOT NULL) = ($9 = 1))
             AND ($10 IS NULL OR e.update_ms > $10) AND ",
            message_matches!(
                "CASE WHEN m.job_id IS NULL THEN m.recipients ELSE '\n' || $2 || '\n' END",
                "$11",
                "$12",
                "$13",
                "$14",
                "$15",
                "$16",
                "$17"
            )
        )
    };
}

/// The mailbox of owner `$2`, and its state at `$now`.
macro_rules! owner {
    ($now:literal) => {
        concat!(
            "WITH owner AS (
                 SELECT b.mailbox_id, b.seq, b.inbox_total, b.inbox_unread, b.sent_total, ",
            state!($now),
            " AS state FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2
             )"
        )
    };
}

/// The page of a scan without criteria: its entries in any order, and the mailbox.
macro_rules! all {
    ($seen:expr, $offset:literal, $now:literal) => {
        concat!(
            owner!($now),
            ", seen AS (",
            $seen,
            " OFFSET ",
            $offset,
            ") SELECT ",
            entry_columns!(),
            " FROM seen e
             UNION ALL
             SELECT NULL, NULL, seq, inbox_total, inbox_unread, sent_total, state,
                 NULL, NULL, NULL, NULL, NULL FROM owner"
        )
    };
}

/// The page of the rows that match: `$18` of them behind the first `$19`. The mailbox comes with
/// the number of rows examined and the last of them, for the case that the scan stops early.
macro_rules! matching {
    ($seen:expr, $order:literal, $reverse:literal) => {
        concat!(
            owner!("$20"),
            ", seen AS (",
            $seen,
            "), edge AS (
                 SELECT message_id, box, seq FROM seen ORDER BY ",
            $reverse,
            " LIMIT 1
             ), matching AS (
                 SELECT ",
            entry_columns!(),
            " FROM seen e CROSS JOIN message m
                 WHERE m.app_no = e.app_no AND m.message_id = e.message_id AND ",
            entry_matches!(),
            " ORDER BY ",
            $order,
            " LIMIT $18 OFFSET $19
             )
             SELECT ",
            entry_columns!(),
            " FROM matching e
             UNION ALL
             SELECT NULL, edge.message_id, owner.seq, inbox_total, inbox_unread, sent_total,
                 state, (SELECT count(*) FROM seen), edge.box, edge.seq, NULL, NULL
             FROM owner LEFT JOIN edge ON true"
        )
    };
}

/// The statements of one kind, by sort order.
pub struct Orders {
    newest: Statement,
    oldest: Statement,
    last_changed: Statement,
    first_changed: Statement,
}

impl Orders {
    /// All four statements.
    #[cfg(test)]
    pub const fn each(&'static self) -> [&'static Statement; 4] {
        [
            &self.newest,
            &self.oldest,
            &self.last_changed,
            &self.first_changed,
        ]
    }

    pub const fn of(&'static self, sort: Sort) -> &'static Statement {
        match (sort.field, sort.direction) {
            (SortField::CreateTime, Direction::Descending) => &self.newest,
            (SortField::CreateTime, Direction::Ascending) => &self.oldest,
            (SortField::UpdateTime, Direction::Descending) => &self.last_changed,
            (SortField::UpdateTime, Direction::Ascending) => &self.first_changed,
        }
    }
}

pub static ALL: Orders = Orders {
    newest: Statement::new(
        "msgbox.page_newest",
        9,
        all!(seen_by_create!("<", "DESC"), "$8", "$9"),
    ),
    oldest: Statement::new(
        "msgbox.page_oldest",
        9,
        all!(seen_by_create!(">", "ASC"), "$8", "$9"),
    ),
    last_changed: Statement::new(
        "msgbox.page_last_changed",
        9,
        all!(seen_by_update!("<", "DESC"), "$8", "$9"),
    ),
    first_changed: Statement::new(
        "msgbox.page_first_changed",
        9,
        all!(seen_by_update!(">", "ASC"), "$8", "$9"),
    ),
};

/// The statements of one box in the order of creation: the most frequent request.
pub const fn one_box(direction: Direction) -> &'static Statement {
    pub static NEWEST: Statement = Statement::new(
        "msgbox.page_box_newest",
        7,
        all!(seen_in_one!("<", "DESC"), "$6", "$7"),
    );
    pub static OLDEST: Statement = Statement::new(
        "msgbox.page_box_oldest",
        7,
        all!(seen_in_one!(">", "ASC"), "$6", "$7"),
    );
    match direction {
        Direction::Descending => &NEWEST,
        Direction::Ascending => &OLDEST,
    }
}

pub static MATCHING: Orders = Orders {
    newest: Statement::new(
        "msgbox.page_matching_newest",
        20,
        matching!(
            seen_by_create!("<", "DESC"),
            "e.message_id DESC, e.box DESC",
            "message_id, box"
        ),
    ),
    oldest: Statement::new(
        "msgbox.page_matching_oldest",
        20,
        matching!(
            seen_by_create!(">", "ASC"),
            "e.message_id, e.box",
            "message_id DESC, box DESC"
        ),
    ),
    last_changed: Statement::new(
        "msgbox.page_matching_last_changed",
        20,
        matching!(seen_by_update!("<", "DESC"), "e.seq DESC", "seq"),
    ),
    first_changed: Statement::new(
        "msgbox.page_matching_first_changed",
        20,
        matching!(seen_by_update!(">", "ASC"), "e.seq", "seq DESC"),
    ),
};

/// The number of matching rows among the first `$7`, `$18` at most, and the number examined.
pub static COUNT: Statement = Statement::new(
    "msgbox.count_matches",
    18,
    concat!(
        "WITH owner AS (
             SELECT mailbox_id FROM mailbox WHERE app_no + 0 = $1 AND profile_id = $2
         ), seen AS (",
        seen_by_update!(">", "ASC"),
        "), matching AS (
             SELECT 1 FROM seen e CROSS JOIN message m
             WHERE m.app_no = e.app_no AND m.message_id = e.message_id AND ",
        entry_matches!(),
        " LIMIT $18
         )
         SELECT (SELECT count(*) FROM matching), (SELECT count(*) FROM seen)"
    ),
);
