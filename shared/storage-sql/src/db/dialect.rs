//! The SQL dialects: what the two databases call differently.

/// What a column of a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Bytes,
    Uuid,
}

/// A column of a batch.
pub type Column = (&'static str, Kind);

/// How a database says what the two say differently.
pub struct Dialect {
    /// Where its texts are kept.
    pub index: usize,
    /// `{strpos}`: the place of a text in a text, from 1; 0 if it is not there.
    pub strpos: &'static str,
    /// `{identity}`: which database it is, and which of its lives; null if it cannot tell.
    pub identity: &'static str,
    /// `{xid}`: the id of this transaction.
    pub xid: &'static str,
    /// Whether rows that are read can be locked.
    pub locks_rows: bool,
    /// The text that yields the rows, if the first of their parameters has that number.
    pub rows: fn(&[Column], usize) -> String,
}
