//! A statement: static text that both databases run, and the batch of rows that may come
//! with it.
//!
//! The text is written once. `$1`, `$2`, … are its scalars. A statement with columns also
//! reads from `r`, a table of the rows that were handed over, with their place in the
//! batch as `r.ord`. `CROSS JOIN` says to `SQLite` that the left side drives the join: it
//! would else go through a whole table and look into the batch for each row. What a database calls otherwise is a word in braces: see [`Dialect`].

use std::sync::OnceLock;

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

/// A statement; make it a `static`.
pub struct Statement {
    text: &'static str,
    scalars: usize,
    columns: &'static [Column],
    locked: Option<&'static str>,
    rendered: [OnceLock<String>; 2],
}

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

impl Statement {
    /// A statement with that many scalars, and no rows.
    pub const fn new(scalars: usize, text: &'static str) -> Self {
        Self::with_rows(scalars, &[], text)
    }

    /// A statement with that many scalars, and rows of those columns.
    pub const fn with_rows(scalars: usize, columns: &'static [Column], text: &'static str) -> Self {
        Self {
            text,
            scalars,
            columns,
            locked: None,
            rendered: [const { OnceLock::new() }; 2],
        }
    }

    /// Locks the rows of that table in the order in which they are returned.
    pub const fn locking(mut self, table: &'static str) -> Self {
        self.locked = Some(table);
        self
    }

    pub const fn columns(&self) -> &'static [Column] {
        self.columns
    }

    pub const fn scalars(&self) -> usize {
        self.scalars
    }

    /// The text for one database.
    pub fn text(&'static self, dialect: &Dialect) -> &'static str {
        self.rendered[dialect.index].get_or_init(|| self.render(dialect))
    }

    fn render(&self, dialect: &Dialect) -> String {
        let mut text = String::new();
        if !self.columns.is_empty() {
            let rows = (dialect.rows)(self.columns, self.scalars + 1);
            text = format!("WITH r AS ({rows}) ");
        }
        text += &self
            .text
            .replace("{strpos}", dialect.strpos)
            .replace("{identity}", dialect.identity)
            .replace("{xid}", dialect.xid);
        if let Some(table) = self.locked.filter(|_| dialect.locks_rows) {
            text = format!("{text} FOR UPDATE OF {table}");
        }
        text
    }
}
