//! The trait bounds that sqlx needs, kept out of the rest of the code.

use futures::future::BoxFuture;
use sqlx::error::BoxDynError;
use sqlx::{Arguments, ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Row, Type};

/// A database that encodes and decodes values of a type.
pub trait Codec<T>: Database {
    /// Adds a value to the arguments of a statement.
    ///
    /// # Errors
    /// The value cannot be encoded.
    fn add(arguments: &mut Self::Arguments, value: T) -> Result<(), BoxDynError>;

    /// Decodes a value of a row.
    ///
    /// # Errors
    /// The value is not of that type.
    fn get(row: &Self::Row, index: usize) -> Result<T, sqlx::Error>;
}

impl<DB, T> Codec<T> for DB
where
    DB: Database,
    T: for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    fn add(arguments: &mut Self::Arguments, value: T) -> Result<(), BoxDynError> {
        arguments.add(value)
    }

    fn get(row: &Self::Row, index: usize) -> Result<T, sqlx::Error> {
        // Unchecked: integers come in several widths, and all of them fit.
        row.try_get_unchecked(index)
    }
}

/// A database that runs statements.
pub trait RunStatements: Database {
    /// Runs a statement, and returns all rows.
    fn fetch<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Vec<Self::Row>, sqlx::Error>>;

    /// Runs a statement of at most one row, and returns it.
    fn fetch_one<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Option<Self::Row>, sqlx::Error>>;

    /// Runs a text without arguments: begins or ends a transaction.
    fn command<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
    ) -> BoxFuture<'a, Result<Self::QueryResult, sqlx::Error>>;

    /// Runs a statement, and returns its effect.
    fn execute<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Self::QueryResult, sqlx::Error>>;
}

impl<DB> RunStatements for DB
where
    DB: Database,
    DB::Arguments: IntoArguments<DB> + 'static,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    fn fetch<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Vec<Self::Row>, sqlx::Error>> {
        connection.fetch_all(sqlx::query_with(text, arguments))
    }

    fn fetch_one<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Option<Self::Row>, sqlx::Error>> {
        connection.fetch_optional(sqlx::query_with(text, arguments))
    }

    fn command<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
    ) -> BoxFuture<'a, Result<Self::QueryResult, sqlx::Error>> {
        connection.execute(text)
    }

    fn execute<'a>(
        connection: &'a mut Self::Connection,
        text: &'static str,
        arguments: Self::Arguments,
    ) -> BoxFuture<'a, Result<Self::QueryResult, sqlx::Error>> {
        connection.execute(sqlx::query_with(text, arguments))
    }
}
