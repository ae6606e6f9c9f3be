//! Keyset pagination: limits, criteria, keys and results of all scans.
//!
//! A scan seeks an index to its key, examines a bounded number of rows behind it, and returns
//! those that match. It stops early with the key of the last row examined, from which the next
//! page goes on.

use domain::limits::{COUNT_MAX, RECIPIENT_ROWS_EXAMINED_MAX, ROWS_EXAMINED_MAX};
use domain::number::saturating;
use domain::page::Direction;
use domain::page::{Count, Criteria, Found, Key, Scan, Seek};
use domain::{MessageId, MessageKind, ProfileId};
use storage::{Error, Lookup};
use uuid::Uuid;

use crate::db::bind::{BoundStatement, Value};
use crate::db::column::recipient_needle;

/// The criteria of a message `m` to `$recipients`, as seven parameters, each null if unused; bound
/// by [`message_criteria`]. Recipients are stored as lines, so a recipient is a substring between
/// two line ends.
macro_rules! message_matches {
    ($recipients:literal, $sender:literal, $to:literal, $party:literal, $party_needle:literal, $kind:literal, $after:literal, $before:literal) => {
        concat!(
            "(",
            $sender,
            " IS NULL OR m.sender_profile_id = ",
            $sender,
            ")
             AND (",
            $to,
            " IS NULL OR {strpos}(",
            $recipients,
            ", ",
            $to,
            ") > 0)
             AND (",
            $party,
            " IS NULL OR m.sender_profile_id = ",
            $party,
            "
                 OR {strpos}(",
            $recipients,
            ", ",
            $party_needle,
            ") > 0)
             AND (",
            $kind,
            " IS NULL OR m.kind = ",
            $kind,
            ")
             AND (",
            $after,
            " IS NULL OR m.send_ms > ",
            $after,
            ")
             AND (",
            $before,
            " IS NULL OR m.send_ms < ",
            $before,
            ")"
        )
    };
}
pub(super) use message_matches;

/// Binds the parameters of [`message_matches`].
pub fn message_criteria(statement: BoundStatement, criteria: &Criteria) -> BoundStatement {
    let needle = |profile: &Option<ProfileId>| Value::Text(profile.as_ref().map(recipient_needle));
    let text = |profile: &Option<ProfileId>| {
        Value::Text(profile.as_ref().map(|id| id.as_str().to_owned()))
    };
    statement
        .bind(text(&criteria.sender))
        .bind(needle(&criteria.to))
        .bind(text(&criteria.party))
        .bind(needle(&criteria.party))
        .bind(criteria.kind.map(MessageKind::code))
        .bind(criteria.sent_after.map(|time| time.0))
        .bind(criteria.sent_before.map(|time| time.0))
}

/// Row limits of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    /// Maximum number of rows examined.
    pub examined_max: i64,
    /// Number of matching rows skipped.
    pub skip: i64,
    /// Maximum number of matching rows read: one more than requested, to know whether there are
    /// more.
    pub rows: i64,
}

impl ScanLimits {
    /// Returns the limits of a scan. If all rows match, no more are examined than are returned; if
    /// a recipient is looked for, fewer, the skipped ones included.
    pub fn of(scan: &Scan, all_match: bool) -> Self {
        let skip = i64::try_from(scan.skip).unwrap_or(i64::MAX / 2);
        let rows = i64::from(scan.rows) + 1;
        let beyond = if all_match {
            rows
        } else {
            i64::from(ROWS_EXAMINED_MAX)
        };
        let examined_max = if scan.criteria.is_by_recipient() {
            i64::from(RECIPIENT_ROWS_EXAMINED_MAX)
        } else {
            skip + beyond
        };
        Self {
            examined_max,
            skip,
            rows,
        }
    }
}

/// Returns the exclusive bound of message ids behind which a scan continues; `id` with whether it
/// is included. Without an id, the bound is beyond all ids.
pub fn id_bound(direction: Direction, id: Option<(Uuid, bool)>) -> Uuid {
    match (direction, id) {
        (Direction::Descending, None) => Uuid::max(),
        (Direction::Ascending, None) => Uuid::nil(),
        (_, Some((id, false))) => id,
        (Direction::Descending, Some((id, true))) => {
            Uuid::from_u128(id.as_u128().saturating_add(1))
        }
        (Direction::Ascending, Some((id, true))) => Uuid::from_u128(id.as_u128().saturating_sub(1)),
    }
}

/// Returns the key at which a scan continues, and whether the key's own row is included. None to
/// start at the first row.
///
/// # Errors
/// [`PastEnd`] if the scan starts behind the last row.
pub fn from_key(seek: Seek) -> Result<Option<(Key, bool)>, PastEnd> {
    match seek {
        Seek::Start => Ok(None),
        Seek::After(key) => Ok(Some((key, false))),
        Seek::At(key) => Ok(Some((key, true))),
        Seek::End => Err(PastEnd),
    }
}

/// A scan that starts behind the last row, and finds nothing.
#[derive(Debug, Clone, Copy)]
pub struct PastEnd;

/// Rows collected by a scan.
#[derive(Debug)]
pub struct ScannedRows<T> {
    /// Rows with their contents, up to the first whose content did not fit.
    pub items: Vec<(Key, T)>,
    /// True if the content of a row did not fit.
    pub is_full: bool,
    /// Number of rows examined.
    pub examined: i64,
    /// Key of the last row examined.
    pub edge: Option<Key>,
}

impl<T> ScannedRows<T> {
    pub const fn empty() -> Self {
        Self {
            items: Vec::new(),
            is_full: false,
            examined: 0,
            edge: None,
        }
    }

    /// Returns the result of the scan.
    pub fn found(mut self, scan: &Scan, limits: ScanLimits, count: Option<Count>) -> Found<T> {
        let rows = saturating(scan.rows);
        let has_more_rows = self.items.len() > rows;
        self.items.truncate(rows);
        let stopped_early = self.examined >= limits.examined_max;
        let page_is_full = has_more_rows || self.is_full;
        Found {
            items: self.items,
            more: page_is_full || stopped_early,
            reached: if page_is_full {
                None
            } else {
                self.edge.filter(|_| stopped_early)
            },
            count,
        }
    }
}

/// Returns a count capped at [`COUNT_MAX`]; `stopped_early` if not all rows were examined.
pub fn capped(matches: i64, stopped_early: bool) -> Count {
    let max = i64::from(COUNT_MAX);
    Count {
        matches: matches.min(max),
        capped: matches > max || stopped_early,
    }
}

/// Collects rows: those with contents, and the ids of the others.
pub fn lookup<T>(
    rows: impl Iterator<Item = Result<Result<T, MessageId>, Error>>,
) -> Result<Lookup<T>, Error> {
    let mut items = Lookup {
        found: Vec::new(),
        remaining: Vec::new(),
    };
    for row in rows {
        match row? {
            Ok(item) => items.found.push(item),
            Err(message_id) => items.remaining.push(message_id),
        }
    }
    Ok(items)
}
