//! What is handed to a statement: scalars and rows.

use uuid::Uuid;

use crate::db::dialect::Kind;
use crate::db::statement::Statement;

/// A value on its way to a database. `None` is null.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
}

/// A column of a batch, with all of its values.
#[derive(Debug)]
pub enum ColumnValues {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Uuid(Vec<Option<Uuid>>),
}

impl ColumnValues {
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Int(values), Value::Int(value)) => values.push(value),
            (Self::Text(values), Value::Text(value)) => values.push(value),
            (Self::Bytes(values), Value::Bytes(value)) => values.push(value),
            (Self::Uuid(values), Value::Uuid(value)) => values.push(value),
            (values, value) => unreachable!("{value:?} in a column of {values:?}"),
        }
    }

    const fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Int => Self::Int(Vec::new()),
            Kind::Text => Self::Text(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
            Kind::Uuid => Self::Uuid(Vec::new()),
        }
    }
}

/// A statement with what it is to be run with.
pub struct BoundStatement {
    pub statement: &'static Statement,
    pub scalars: Vec<Value>,
    pub columns: Vec<ColumnValues>,
    pub rows: usize,
}

impl BoundStatement {
    /// A statement without anything yet.
    pub fn of(statement: &'static Statement) -> Self {
        let columns = statement
            .columns()
            .iter()
            .map(|(_, kind)| ColumnValues::empty(*kind));
        Self {
            statement,
            scalars: Vec::with_capacity(statement.scalars()),
            columns: columns.collect(),
            rows: 0,
        }
    }

    /// Adds a scalar.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.scalars.push(value.into());
        self
    }

    /// Adds a row.
    pub fn push_row<const N: usize>(&mut self, values: [Value; N]) {
        debug_assert_eq!(N, self.columns.len());
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.rows += 1;
    }

    /// Whether it has no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

macro_rules! into_value {
    ($($type:ty => $variant:ident),+) => { $(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )+ };
}

into_value!(i64 => Int, u32 => Int, &str => Text, String => Text, &[u8] => Bytes, Uuid => Uuid);
