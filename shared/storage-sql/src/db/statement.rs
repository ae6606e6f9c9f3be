//! A statement: static text that both databases run, and the batch of rows that may come
//! with it.
//!
//! The text is written once. `$1`, `$2`, … are its scalars. A statement with columns also
//! reads from `r`, a table of the rows that were handed over, with their place in the
//! batch as `r.ord`. `CROSS JOIN` says to `SQLite` that the left side drives the join: it
//! would else go through a whole table and look into the batch for each row. A word in
//! braces stands for what the two databases call differently: see [`Dialect`].

use std::sync::OnceLock;

use super::dialect::{Column, Dialect};

/// A statement; make it a `static`.
pub struct Statement {
    text: &'static str,
    scalars: usize,
    columns: &'static [Column],
    locked: Option<&'static str>,
    rendered: [OnceLock<String>; 2],
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
