//! Rows that were fetched.

use domain::{AppId, MessageId, Millis, ProfileId};
use sqlx::Row;
use storage::Error;
use uuid::Uuid;

use super::backend::{Backend, Codec};
use super::bind::Value;
use super::column::ColumnValue;
use super::dialect::Kind;
use super::error::corrupt;

/// Reads a row column by column, in the order of its select list.
pub struct RowReader<DB: Backend> {
    row: DB::Row,
    next: usize,
    /// The first UUID that was read, which identifies the row in errors.
    id: Option<Uuid>,
}

impl<DB: Backend> RowReader<DB> {
    pub const fn new(row: DB::Row) -> Self {
        Self {
            row,
            next: 0,
            id: None,
        }
    }

    /// Reads the next column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the value is malformed, or null where that is not allowed.
    pub fn column<T: ColumnValue>(
        &mut self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, Error> {
        let value = match T::KIND {
            Kind::Int => Value::Int(self.take()?),
            Kind::Text => Value::Text(self.take()?),
            Kind::Bytes => Value::Bytes(self.take()?),
            Kind::Uuid => Value::Uuid(self.uuid_or_null()?),
        };
        T::decode(value).ok_or_else(|| self.corrupt(table, column))
    }

    /// Returns the error of a malformed column, with the first UUID of the row as its key.
    pub fn corrupt(&self, table: &'static str, column: &'static str) -> Error {
        corrupt(table, column, &self.id.unwrap_or_default())
    }

    fn take<T>(&mut self) -> Result<T, Error>
    where
        DB: Codec<T>,
    {
        let index = self.next;
        self.next += 1;
        DB::get(&self.row, index).map_err(|error| Error::Internal(error.into()))
    }

    fn not_null<T>(&self, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            let columns = self.row.columns();
            let column = columns.get(self.next - 1).map(sqlx::Column::name);
            Error::Internal(format!("column {column:?} is null").into())
        })
    }

    pub fn int_or_null(&mut self) -> Result<Option<i64>, Error> {
        self.take()
    }

    pub fn int(&mut self) -> Result<i64, Error> {
        let value = self.int_or_null()?;
        self.not_null(value)
    }

    pub fn text_or_null(&mut self) -> Result<Option<String>, Error> {
        self.take()
    }

    pub fn text(&mut self) -> Result<String, Error> {
        let value = self.text_or_null()?;
        self.not_null(value)
    }

    pub fn uuid_or_null(&mut self) -> Result<Option<Uuid>, Error> {
        let id = self.take()?;
        self.id = self.id.or(id);
        Ok(id)
    }

    pub fn uuid(&mut self) -> Result<Uuid, Error> {
        let value = self.uuid_or_null()?;
        self.not_null(value)
    }

    pub fn millis(&mut self) -> Result<Millis, Error> {
        self.int().map(Millis)
    }

    pub fn millis_or_null(&mut self) -> Result<Option<Millis>, Error> {
        Ok(self.int_or_null()?.map(Millis))
    }

    pub fn message_id(&mut self) -> Result<MessageId, Error> {
        self.uuid().map(MessageId::new)
    }

    pub fn profile_id(&mut self, table: &'static str) -> Result<ProfileId, Error> {
        let text = self.text()?;
        ProfileId::parse(&text)
            .map_err(|_| corrupt(table, "profile_id", &format_args!("{} bytes", text.len())))
    }

    pub fn app_id(&mut self) -> Result<AppId, Error> {
        let text = self.text()?;
        AppId::parse(&text)
            .map_err(|_| corrupt("app", "app_id", &format_args!("{} bytes", text.len())))
    }

    /// Returns whether the next column is null, without reading it: the first column of a row
    /// that a left join did not find.
    pub fn is_null_next(&self) -> bool {
        matches!(DB::get(&self.row, self.next), Ok(None::<i64>))
    }
}
