//! Statements: a name, and a text that both databases run.
//!
//! The text is written once. `$1`, `$2`, … are its scalars. A statement with columns also reads
//! from `r`, a batch of rows that is handed over with it, in which `r.ord` is the place of a
//! row. `CROSS JOIN` tells `SQLite` that the left side drives the join; otherwise it would scan
//! the table and look each row up in the batch. Words in braces stand for what the databases
//! call differently: see [`Dialect`].
//!
//! The plan must not depend on statistics, which may be old or about other mailboxes. A look-up
//! by key therefore takes all key columns from `r` or from a materialized part of the statement,
//! and no other index of the table may serve it: a column that only filters, but has an index,
//! is written with `+ 0`, also where an index of that expression is meant. A range of rows for
//! each row of the batch is `r CROSS JOIN {each table t WHERE …}`, which `PostgreSQL` cannot turn
//! round either.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::dialect::{BatchColumn, Dialect};

/// A statement; make it a `static`. Its text is rendered once for each database.
pub struct Statement {
    name: &'static str,
    text: Cow<'static, str>,
    scalars: usize,
    columns: Cow<'static, [BatchColumn]>,
    locked: Option<&'static str>,
    skips_locked: bool,
    texts: [OnceLock<String>; 2],
}

impl Statement {
    /// A statement with that many scalars, and no batch. `name` is `table.action`.
    pub const fn new(name: &'static str, scalars: usize, text: &'static str) -> Self {
        Self::with_rows(name, scalars, &[], text)
    }

    /// A statement with that many scalars, and a batch of those columns.
    pub const fn with_rows(
        name: &'static str,
        scalars: usize,
        columns: &'static [BatchColumn],
        text: &'static str,
    ) -> Self {
        Self {
            name,
            text: Cow::Borrowed(text),
            scalars,
            columns: Cow::Borrowed(columns),
            locked: None,
            skips_locked: false,
            texts: [const { OnceLock::new() }; 2],
        }
    }

    /// A statement without scalars, with a batch of those columns.
    pub const fn rendered(name: &'static str, columns: Vec<BatchColumn>, text: String) -> Self {
        Self {
            name,
            text: Cow::Owned(text),
            scalars: 0,
            columns: Cow::Owned(columns),
            locked: None,
            skips_locked: false,
            texts: [const { OnceLock::new() }; 2],
        }
    }

    /// Locks the rows of a table or alias, in the order in which they are returned.
    pub const fn locking(mut self, table: &'static str) -> Self {
        self.locked = Some(table);
        self
    }

    /// Locks the rows that no other transaction has locked, and leaves out the others.
    pub const fn locking_free(mut self, table: &'static str) -> Self {
        self.skips_locked = true;
        self.locking(table)
    }

    /// The name, `table.action`, in traces and metrics.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The columns of the batch; empty: none.
    pub fn columns(&self) -> &[BatchColumn] {
        &self.columns
    }

    /// The number of scalars.
    pub const fn scalars(&self) -> usize {
        self.scalars
    }

    /// Returns the text for one database.
    pub fn text(&'static self, dialect: &Dialect) -> &'static str {
        self.texts[dialect.index].get_or_init(|| self.render(dialect))
    }

    fn render(&self, dialect: &Dialect) -> String {
        let mut text = String::new();
        if !self.columns.is_empty() {
            let rows = (dialect.rows)(&self.columns, self.scalars + 1);
            text = format!("WITH r AS ({rows}) ");
        }
        text += &ranges(&self.text, dialect)
            .replace("{strpos}", dialect.strpos)
            .replace("{identity}", dialect.identity)
            .replace("{xid}", dialect.xid)
            .replace("{clock_ms}", dialect.clock_ms)
            .replace("{may_create}", dialect.may_create);
        if let Some(table) = self.locked.filter(|_| dialect.locks_rows) {
            let skip = if self.skips_locked {
                " SKIP LOCKED"
            } else {
                ""
            };
            text = format!("{text} FOR UPDATE OF {table}{skip}");
        }
        text
    }
}

/// Renders each `{each table t WHERE …}`.
fn ranges(text: &str, dialect: &Dialect) -> String {
    let mut parts = text.split("{each ");
    let mut rendered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (range, rest) = part.split_once('}').unwrap_or((part, ""));
        rendered += &(dialect.each)(range);
        rendered += rest;
    }
    rendered
}
