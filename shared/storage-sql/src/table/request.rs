//! Table `request`: the outcomes of requests, by key.

use domain::Millis;
use domain::request::{Fingerprint, RequestKey};

use crate::db::bind::Value;
use crate::db::column::{ColumnValue, columns, written_columns};
use crate::db::dialect::Kind;
use crate::db::row_statement::RowStatement;
use crate::db::statement::Statement;

/// The stored outcome of a request.
pub struct RequestRow {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    /// The encoded outcome.
    pub result: String,
    pub expire_ms: Millis,
}

columns! {
    static COLUMNS of "request": |row: RequestRow| {
        Key key as "request_key": RequestKey = row.key;
        Fixed fingerprint: Fingerprint = row.fingerprint;
        Fixed result: String = row.result;
        Fixed expire_ms: Millis = row.expire_ms;
    }
    select request_columns from "q";
    fn request() -> RequestRow {
        Ok(RequestRow { key, fingerprint, result, expire_ms })
    }
}

written_columns! {
    static KEY: |key: RequestKey| {
        Key request_key: RequestKey = *key;
    }
}

pub static READ: Statement = Statement::with_rows(
    "request.read",
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    concat!(
        "SELECT q.app_no, ",
        request_columns!(),
        " FROM r
     CROSS JOIN request q WHERE q.app_no = r.app_no AND q.request_key = r.request_key"
    ),
);

pub static DELETE: RowStatement<RequestKey> =
    RowStatement::delete("request.delete", "request", &[KEY]);

/// Fails on a key that another transaction has inserted, after waiting for its commit. Without
/// `ON CONFLICT`, with which each row would take a third more of the write-ahead log.
pub static INSERT: RowStatement<RequestRow> =
    RowStatement::insert_in_order("request.insert", "request", &[COLUMNS]);

impl ColumnValue for RequestKey {
    const KIND: Kind = Kind::Bytes;

    fn encode(&self) -> Value {
        self.0.as_slice().into()
    }

    fn decode(value: Value) -> Option<Self> {
        ColumnValue::decode(value).map(Self)
    }
}

impl ColumnValue for Fingerprint {
    const KIND: Kind = Kind::Bytes;

    fn encode(&self) -> Value {
        self.0.as_slice().into()
    }

    fn decode(value: Value) -> Option<Self> {
        ColumnValue::decode(value).map(Self)
    }
}
