//! What all scans share: how far they look, what their criteria are bound to, and how
//! their rows become what was found.

use domain::limits::{COUNT_MAX, ROWS_EXAMINED_MAX};
use domain::page::Direction;
use domain::page::{Count, Criteria, Found, Key, Scan, Seek};
use domain::{MessageId, MessageKind, ProfileId};
use storage::{Error, Lookup};
use uuid::Uuid;

use crate::db::bind::{BoundStatement, Value};
use crate::db::column::recipient_needle;

/// The criteria of a message `m` to those recipients, as seven scalars; see
/// [`message_criteria`].
macro_rules! message_matches {
    ($recipients:literal, $from:literal, $to:literal, $party:literal, $party_needle:literal, $kind:literal, $after:literal, $before:literal) => {
        concat!(
            "(",
            $from,
            " IS NULL OR m.sender_profile_id = ",
            $from,
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

/// Binds what [`message_matches`] reads.
pub fn message_criteria(call: BoundStatement, criteria: &Criteria) -> BoundStatement {
    let needle = |profile: &Option<ProfileId>| Value::Text(profile.as_ref().map(recipient_needle));
    let text = |profile: &Option<ProfileId>| {
        Value::Text(profile.as_ref().map(|id| id.as_str().to_owned()))
    };
    call.bind(text(&criteria.from))
        .bind(needle(&criteria.to))
        .bind(text(&criteria.party))
        .bind(needle(&criteria.party))
        .bind(criteria.kind.map(MessageKind::code))
        .bind(criteria.sent_after.map(|time| time.0))
        .bind(criteria.sent_before.map(|time| time.0))
}

/// How far a scan looks, and how much of that it passes over and returns.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Rows that it examines at the most.
    pub examined_max: i64,
    /// Matching rows that it passes over.
    pub skip: i64,
    /// Matching rows that it returns: one more than asked for, to know whether there are
    /// more.
    pub rows: i64,
}

impl Reach {
    /// If every row matches, it need not look further than it returns.
    pub fn of(scan: &Scan, all_match: bool) -> Self {
        let skip = i64::try_from(scan.skip).unwrap_or(i64::MAX / 2);
        let rows = i64::from(scan.rows) + 1;
        let beyond = if all_match {
            rows
        } else {
            i64::from(ROWS_EXAMINED_MAX)
        };
        Self {
            examined_max: skip + beyond,
            skip,
            rows,
        }
    }
}

/// An exclusive bound for message ids from which a scan goes on.
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

/// The key from which a scan goes on, and whether its own row is part of it. None: from
/// the first row.
///
/// `Err` if nothing is there to scan.
pub fn from_key(seek: Seek) -> Result<Option<(Key, bool)>, NothingThere> {
    match seek {
        Seek::Start => Ok(None),
        Seek::After(key) => Ok(Some((key, false))),
        Seek::At(key) => Ok(Some((key, true))),
        Seek::End => Err(NothingThere),
    }
}

/// A scan from behind the last row.
#[derive(Debug, Clone, Copy)]
pub struct NothingThere;

/// Gathers the rows of a scan.
#[derive(Debug)]
pub struct Gathered<T> {
    /// The rows whose content came with them, up to the first one whose did not.
    pub items: Vec<(Key, T)>,
    /// Whether a row's content did not fit.
    pub full: bool,
    /// How many rows were examined.
    pub examined: i64,
    /// The last of them.
    pub edge: Option<Key>,
}

impl<T> Gathered<T> {
    pub const fn nothing() -> Self {
        Self {
            items: Vec::new(),
            full: false,
            examined: 0,
            edge: None,
        }
    }

    /// What was found, in the terms of the scan.
    pub fn found(mut self, scan: &Scan, reach: Reach, count: Option<Count>) -> Found<T> {
        let rows = usize::try_from(scan.rows).unwrap_or(usize::MAX);
        let has_more_rows = self.items.len() > rows;
        self.items.truncate(rows);
        let stopped_early = self.examined >= reach.examined_max;
        let page_is_full = has_more_rows || self.full;
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

/// A count that stops at [`COUNT_MAX`], or because it had looked far enough.
pub fn capped(matches: i64, stopped_early: bool) -> Count {
    let max = i64::from(COUNT_MAX);
    Count {
        matches: matches.min(max),
        capped: matches > max || stopped_early,
    }
}

/// Takes rows apart into those whose content came with them and the ids of the others.
pub fn split<T>(
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
