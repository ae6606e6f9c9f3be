//! A statement with its values.

use uuid::Uuid;

use super::dialect::Kind;
use super::statement::Statement;

/// A value of a statement. `None` is null.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
}

impl Value {
    /// Null, of a kind.
    pub const fn null(kind: Kind) -> Self {
        match kind {
            Kind::Int => Self::Int(None),
            Kind::Text => Self::Text(None),
            Kind::Bytes => Self::Bytes(None),
            Kind::Uuid => Self::Uuid(None),
        }
    }

    /// Returns whether the value is null.
    pub const fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) | Self::Uuid(None)
        )
    }
}

/// The values of a batch column, one for each row.
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

/// A statement with the values of its scalars and the rows of its batch.
pub struct BoundStatement {
    pub statement: &'static Statement,
    pub scalars: Vec<Value>,
    pub columns: Vec<ColumnValues>,
    /// Number of rows in the batch.
    pub rows: usize,
}

impl BoundStatement {
    /// A statement without values yet.
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

    /// Binds the next scalar.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.scalars.push(value.into());
        self
    }

    /// Adds a row to the batch.
    pub fn push_row<const N: usize>(&mut self, values: [Value; N]) {
        self.push(values);
    }

    /// Adds a row of as many values as there are columns.
    pub fn push(&mut self, values: impl IntoIterator<Item = Value>) {
        let mut count = 0;
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
            count += 1;
        }
        debug_assert_eq!(count, self.columns.len(), "{}", self.statement.name());
        self.rows += 1;
    }

    /// Returns whether the batch has no rows.
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
