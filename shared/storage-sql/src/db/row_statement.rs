//! Statements that write rows, rendered from the columns of their table.

use std::borrow::Borrow;
use std::fmt::Write as _;
use std::sync::OnceLock;

use super::bind::{BoundStatement, Value};
use super::column::{Column, Role};
use super::dialect::{BatchColumn, Kind};
use super::statement::Statement;

/// The key column that comes first in every table.
const APP_NO: BatchColumn = ("app_no", Kind::Int);

/// A statement that writes rows `R` of many apps at once; make it a `static`. Its text is
/// rendered once.
pub struct RowStatement<R: 'static> {
    name: &'static str,
    table: &'static str,
    columns: &'static [&'static [Column<R>]],
    verb: Verb,
    rendered: OnceLock<Rendered<R>>,
}

/// The part of a statement that is rendered.
#[derive(Clone, Copy)]
enum Verb {
    Insert,
    /// Inserts in the order of the batch.
    InsertInOrder,
    Update,
    Delete,
    /// The text; its batch has all columns.
    Text(&'static str),
}

struct Rendered<R> {
    statement: Statement,
    /// The encoders of the columns after `app_no`.
    encoders: Vec<fn(&R) -> Value>,
}

/// Rows of a statement, and how many of them it must change.
pub struct TableWrite {
    pub statement: BoundStatement,
    /// The table, for the error of a wrong number of rows.
    pub table: &'static str,
    /// True if each row must change exactly one row of the table.
    pub is_exact: bool,
}

impl<R> RowStatement<R> {
    /// Inserts rows with all columns.
    pub const fn insert(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
    ) -> Self {
        Self::of(name, table, columns, Verb::Insert)
    }

    /// Inserts rows with all columns in the order of the batch, so that transactions that insert
    /// the same keys wait for each other instead of deadlocking.
    pub const fn insert_in_order(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
    ) -> Self {
        Self::of(name, table, columns, Verb::InsertInOrder)
    }

    /// Updates the mutable columns of rows, found by their key columns.
    pub const fn update(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
    ) -> Self {
        Self::of(name, table, columns, Verb::Update)
    }

    /// Deletes rows, found by their key columns.
    pub const fn delete(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
    ) -> Self {
        Self::of(name, table, columns, Verb::Delete)
    }

    /// Runs a text of its own over a batch `r` with all columns.
    pub const fn text(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
        text: &'static str,
    ) -> Self {
        Self::of(name, table, columns, Verb::Text(text))
    }

    const fn of(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static [Column<R>]],
        verb: Verb,
    ) -> Self {
        Self {
            name,
            table,
            columns,
            verb,
            rendered: OnceLock::new(),
        }
    }

    /// The statement, rendered.
    #[cfg(test)]
    pub fn statement(&'static self) -> &'static Statement {
        &self.rendered().statement
    }

    /// Binds rows, each with the number of its app. Every row must change one row.
    pub fn rows<T: Borrow<R>>(
        &'static self,
        rows: impl IntoIterator<Item = (i64, T)>,
    ) -> TableWrite {
        let Rendered {
            statement,
            encoders,
        } = self.rendered();
        let mut bound = BoundStatement::of(statement);
        for (app_no, row) in rows {
            let values = encoders.iter().map(|encode| encode(row.borrow()));
            bound.push(std::iter::once(app_no.into()).chain(values));
        }
        TableWrite {
            statement: bound,
            table: self.table,
            is_exact: true,
        }
    }

    /// Binds rows that may change any number of rows.
    pub fn rows_of_any_effect<T: Borrow<R>>(
        &'static self,
        rows: impl IntoIterator<Item = (i64, T)>,
    ) -> TableWrite {
        TableWrite {
            is_exact: false,
            ..self.rows(rows)
        }
    }

    fn rendered(&'static self) -> &'static Rendered<R> {
        self.rendered.get_or_init(|| {
            let columns = self.columns.iter().copied().flatten();
            let columns: Vec<&Column<R>> = columns
                .filter(|column| self.verb.takes(column.role))
                .collect();
            let batch = columns.iter().map(|column| (column.name, column.kind));
            let batch: Vec<BatchColumn> = std::iter::once(APP_NO).chain(batch).collect();
            let is_key = |role| role == Role::Key;
            let mutable = columns.iter().filter(|column| !is_key(column.role));
            let mutable: Vec<&str> = mutable.map(|column| column.name).collect();
            let keys = columns.iter().filter(|column| is_key(column.role));
            let keys = keys.map(|column| column.name);
            let keys: Vec<&str> = std::iter::once(APP_NO.0).chain(keys).collect();
            let all: Vec<&str> = batch.iter().map(|(name, _)| *name).collect();
            let text = match self.verb {
                Verb::Insert => insert(self.table, &all),
                Verb::InsertInOrder => insert(self.table, &all) + " ORDER BY r.ord",
                Verb::Update => update(self.table, &keys, &mutable),
                Verb::Delete => delete(self.table, &keys),
                Verb::Text(text) => text.to_owned(),
            };
            Rendered {
                statement: Statement::rendered(self.name, batch, text),
                encoders: columns.iter().map(|column| column.encode).collect(),
            }
        })
    }
}

impl Verb {
    /// Returns whether the batch has a column of that role.
    const fn takes(self, role: Role) -> bool {
        match (self, role) {
            (Self::Insert | Self::InsertInOrder | Self::Text(_), _)
            | (_, Role::Key)
            | (Self::Update, Role::Mutable) => true,
            (Self::Update | Self::Delete, Role::Fixed) | (Self::Delete, Role::Mutable) => false,
        }
    }
}

fn insert(table: &str, columns: &[&str]) -> String {
    let (into, values) = (columns.join(", "), of_batch(columns));
    format!("INSERT INTO {table} ({into}) SELECT {values} FROM r")
}

fn update(table: &str, keys: &[&str], columns: &[&str]) -> String {
    let mut text = format!("UPDATE {table} SET ");
    for (index, column) in columns.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}{column} = r.{column}");
    }
    text += " FROM r WHERE ";
    for (index, key) in keys.iter().enumerate() {
        let and = if index == 0 { "" } else { " AND " };
        let _ = write!(text, "{and}{table}.{key} = r.{key}");
    }
    text
}

fn delete(table: &str, keys: &[&str]) -> String {
    let (columns, values) = (keys.join(", "), of_batch(keys));
    format!("DELETE FROM {table} WHERE ({columns}) IN (SELECT {values} FROM r)")
}

fn of_batch(columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("r.{column}")).collect();
    columns.join(", ")
}
