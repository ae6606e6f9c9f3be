//! The SQL dialects: what the two databases call differently.

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Bytes,
    Uuid,
}

/// A column of a batch of rows: its name and kind.
pub type BatchColumn = (&'static str, Kind);

/// The names that differ between the databases; statements have them in braces.
pub struct Dialect {
    /// The place of its texts in [`Statement`](super::statement::Statement).
    pub index: usize,
    /// `{strpos}`: the function that returns the place of a text in a text, from 1; else 0.
    pub strpos: &'static str,
    /// `{identity}`: an expression that identifies the database and its timeline; null if it
    /// cannot be known.
    pub identity: &'static str,
    /// `{xid}`: the id of the current transaction, or null.
    pub xid: &'static str,
    /// `{clock_ms}`: the time of the database, or null if it has no clock of its own.
    pub clock_ms: &'static str,
    /// `{may_create}`: a condition that lets one transaction at a time create the mailbox of `r`.
    pub may_create: &'static str,
    /// True if `FOR UPDATE` exists.
    pub locks_rows: bool,
    /// Renders `{each table t WHERE …}`: the rows of a table for each row to its left.
    pub each: fn(&str) -> String,
    /// Renders the query of a batch's rows, the first parameter of which has that number.
    pub rows: fn(&[BatchColumn], usize) -> String,
}
