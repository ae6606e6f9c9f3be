//! Keyset pagination: the rows of a page, its position, and steps to other pages.
//!
//! A page is found by seeking from a key, never by counting rows from the beginning: the
//! thousandth page costs as much as the first. A [`PagePosition`] is all that a caller carries
//! from page to page.

use std::cmp::Ordering;

use crate::id::{MessageId, ProfileId};
use crate::limits::{PAGE_JUMP_ROWS_MAX, ROWS_PER_PAGE_DEFAULT, ROWS_PER_PAGE_MAX};
use crate::mailbox::Msgbox;
use crate::message::MessageKind;
use crate::time::Millis;

/// Filter of a listing. All given conditions must hold; bounds of time are exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Criteria {
    /// Box of the entry; for entries only.
    pub msgbox: Option<Msgbox>,
    /// Read or unread; for entries only.
    pub read: Option<bool>,
    /// Sender of the message.
    pub sender: Option<ProfileId>,
    /// Recipient of the message.
    pub to: Option<ProfileId>,
    /// Sender or recipient of the message.
    pub party: Option<ProfileId>,
    /// Kind of the message.
    pub kind: Option<MessageKind>,
    /// True for messages without a sending profile only: sent by the app.
    pub system_only: bool,
    /// Lower bound of the time of the send.
    pub sent_after: Option<Millis>,
    /// Upper bound of the time of the send.
    pub sent_before: Option<Millis>,
    /// Lower bound of the last change of the entry, or for messages of the content.
    pub updated_after: Option<Millis>,
}

impl Criteria {
    /// Returns true if all rows of the box match, so that the number of
    /// matches is known without a scan.
    #[must_use]
    pub fn is_box_only(&self) -> bool {
        *self
            == Self {
                msgbox: self.msgbox,
                ..Self::default()
            }
    }

    /// Returns true if recipients are looked for, which have no index.
    #[must_use]
    pub const fn is_by_recipient(&self) -> bool {
        self.to.is_some() || self.party.is_some()
    }
}

/// Field by which rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortField {
    /// Time of the send.
    #[default]
    CreateTime,
    /// Time of the last change.
    UpdateTime,
}

/// Direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

impl Direction {
    /// The opposite direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Descending => Self::Ascending,
            Self::Ascending => Self::Descending,
        }
    }
}

/// Order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// Field that is compared.
    pub field: SortField,
    /// Direction of the order.
    pub direction: Direction,
}

impl Sort {
    /// Compares the keys of two rows.
    #[must_use]
    pub fn compare(self, one: &Key, other: &Key) -> Ordering {
        let ascending = match self.field {
            SortField::CreateTime => {
                (one.message_id, one.msgbox).cmp(&(other.message_id, other.msgbox))
            }
            SortField::UpdateTime => one.change.cmp(&other.change),
        };
        match self.direction {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    }
}

/// Position of a row in both orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Message of the row; its ids are in the order of sending.
    pub message_id: MessageId,
    /// Box of the row; `inbox` for rows without one. Orders two entries of one message.
    pub msgbox: Msgbox,
    /// Position by change: the `seq` of an entry, the time of a message's last change.
    pub change: i64,
}

/// Start of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// At the first row in the direction of the scan.
    Start,
    /// At the first row after that key.
    After(Key),
    /// At the row of that key, or the first one after it.
    At(Key),
    /// Behind the last row.
    End,
}

/// A scan that finds the rows of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Filter of the rows.
    pub criteria: Criteria,
    /// Order of the scan.
    pub sort: Sort,
    /// Start of the scan.
    pub seek: Seek,
    /// Number of matching rows to pass over.
    pub skip: u64,
    /// Maximum number of rows to return.
    pub rows: u32,
    /// True to count all matching rows.
    pub count: bool,
}

/// Result of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The rows, in the order of the scan.
    pub items: Vec<(Key, T)>,
    /// True if the scan ended before the last row: there may be more.
    pub more: bool,
    /// Last position examined by a scan that ended early, if behind its last item.
    pub reached: Option<Key>,
    /// Number of matching rows, if requested or known without a scan.
    pub count: Option<Count>,
}

/// Number of matching rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Number of matches counted.
    pub matches: i64,
    /// True if the count stopped there: there may be more.
    pub capped: bool,
}

/// Requested listing, without the position in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Filter of the rows.
    pub criteria: Criteria,
    /// Order of the rows.
    pub sort: Sort,
    /// Rows of a page, at least 1.
    pub rows_per_page: u32,
    /// True to count all matching rows.
    pub count: bool,
}

/// Reason why a page request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageError {
    /// A number below zero.
    Negative,
    /// A jump beyond [`PAGE_JUMP_ROWS_MAX`] rows.
    TooFar,
}

/// Returns the number of rows of a page: 0 means the default, more than the maximum is cut to it.
///
/// # Errors
/// [`PageError::Negative`].
pub fn rows_per_page(requested: i32) -> Result<u32, PageError> {
    match u32::try_from(requested) {
        Ok(0) => Ok(ROWS_PER_PAGE_DEFAULT),
        Ok(rows) => Ok(rows.min(ROWS_PER_PAGE_MAX)),
        Err(_) => Err(PageError::Negative),
    }
}

/// Returns the number of a page: 0 means the first.
///
/// # Errors
/// [`PageError::Negative`], or [`PageError::TooFar`] for pages that are reached by steps only.
pub fn page_number(requested: i32, rows_per_page: u32) -> Result<i32, PageError> {
    let number = u32::try_from(requested).map_err(|_| PageError::Negative)?;
    if u64::from(number) * u64::from(rows_per_page) > PAGE_JUMP_ROWS_MAX {
        return Err(PageError::TooFar);
    }
    Ok(requested.max(1))
}

/// Position of a page in its listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePosition {
    /// Number of the page, from 1.
    pub page: i32,
    /// Position of the first row; none: behind the last row of the listing.
    pub first: Option<Key>,
    /// Position of the row before the next page; none: as `first`.
    pub last: Option<Key>,
}

/// A page, in the order of its listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Position of the page.
    pub position: PagePosition,
    /// Rows of the page.
    pub items: Vec<T>,
    /// True if there are rows before the page.
    pub more_before: bool,
    /// True if there may be rows after the page.
    pub more_after: bool,
    /// Total number of matching rows, if known.
    pub count: Option<Count>,
}

/// Step to a page: the scan that finds it, and the interpretation of its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStep {
    /// Scan that finds the page.
    pub scan: Scan,
    page: i32,
    backward: bool,
}

impl PageStep {
    /// Returns the step to a page by its number.
    #[must_use]
    pub fn to(listing: &Listing, page: i32) -> Self {
        let before = u64::try_from(page - 1).unwrap_or(0);
        Self::forward(
            listing,
            Seek::Start,
            before * u64::from(listing.rows_per_page),
            page,
        )
    }

    /// Returns the step to the page that is `offset` pages from a position. An offset that leads
    /// before the first page leads to the rows in its place: those of page 1, or from page 1
    /// the rows just before it, which were added since.
    #[must_use]
    pub fn from(listing: &Listing, position: PagePosition, offset: i32) -> Self {
        let back_max = position.page.saturating_sub(1).max(1);
        let offset = offset.max(-back_max);
        let page = position.page.saturating_add(offset).max(1);
        let skip =
            u64::from(offset.unsigned_abs()).saturating_sub(1) * u64::from(listing.rows_per_page);
        match offset {
            0 => Self::forward(listing, position.first.map_or(Seek::End, Seek::At), 0, page),
            1.. => Self::forward(
                listing,
                position.last.map_or(Seek::End, Seek::After),
                skip,
                page,
            ),
            ..0 => {
                let seek = position.first.map_or(Seek::Start, Seek::After);
                let mut step = Self::forward(listing, seek, skip, page);
                step.scan.sort.direction = listing.sort.direction.reversed();
                step.backward = true;
                step
            }
        }
    }

    fn forward(listing: &Listing, seek: Seek, skip: u64, page: i32) -> Self {
        Self {
            scan: Scan {
                criteria: listing.criteria.clone(),
                sort: listing.sort,
                seek,
                skip,
                rows: listing.rows_per_page,
                count: listing.count,
            },
            page,
            backward: false,
        }
    }

    /// Returns true if the scan starts at a row: a backward step finds a page before it.
    fn starts_at_a_row(&self) -> bool {
        matches!(self.scan.seek, Seek::After(_))
    }

    /// Returns the page that the scan found; none if there are no rows before the position, and
    /// the first page is to be read.
    #[must_use]
    pub fn page<T>(&self, mut found: Found<T>) -> Option<Page<T>> {
        if self.backward {
            if found.items.is_empty() && !found.more {
                return None;
            }
            found.items.reverse();
        }
        let reached = found.reached.filter(|_| found.more);
        let ends = |end: Option<&(Key, T)>| end.map(|(key, _)| *key);
        let (mut first, mut last) = (ends(found.items.first()), ends(found.items.last()));
        if self.backward {
            first = reached.or(first);
            last = last.or(first);
        } else {
            last = reached.or(last);
            first = first.or(last);
        }
        Some(Page {
            position: PagePosition {
                page: self.page,
                first,
                last,
            },
            more_before: if self.backward {
                found.more
            } else {
                self.page > 1
            },
            more_after: if self.backward {
                self.starts_at_a_row()
            } else {
                found.more
            },
            items: found.items.into_iter().map(|(_, item)| item).collect(),
            count: found.count,
        })
    }
}

#[cfg(test)]
mod tests;
