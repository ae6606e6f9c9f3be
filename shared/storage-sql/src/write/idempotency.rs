//! Idempotency: the outcome of each request is stored with its key and fingerprint, in the
//! transaction of its changes, and returned when the request is repeated.

use std::collections::{BTreeMap, BTreeSet};

use domain::limits::IDEMPOTENCY_MS;
use domain::request::{Fingerprint, RequestKey};
use domain::{Millis, Outcome, Refusal};
use storage::Error;

use super::operation::{BatchedOperation, Verdict};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::error::corrupt;
use crate::db::statement::Statement;

static READ: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "SELECT q.app_no, q.request_key, q.fingerprint, q.result, q.expire_ms FROM r
     CROSS JOIN request q WHERE q.app_no = r.app_no AND q.request_key = r.request_key",
);

static DELETE: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "DELETE FROM request WHERE (app_no, request_key) IN (SELECT r.app_no, r.request_key FROM r)",
);

/// Fails on a key that another transaction has inserted, after waiting for its commit. Without
/// `ON CONFLICT`, with which each row would take a third more of the write-ahead log.
static INSERT: Statement = Statement::with_rows(
    1,
    &[
        ("app_no", Kind::Int),
        ("request_key", Kind::Bytes),
        ("fingerprint", Kind::Bytes),
        ("result", Kind::Text),
    ],
    "INSERT INTO request (app_no, request_key, fingerprint, result, expire_ms)
     SELECT r.app_no, r.request_key, r.fingerprint, r.result, $1 FROM r ORDER BY r.ord",
);

type Key = (i64, RequestKey);

/// The idempotency records of a batch's requests.
pub struct IdempotencyRecords {
    now: Millis,
    /// Live records: those stored, and those of this batch.
    known: BTreeMap<Key, (Fingerprint, Outcome)>,
    /// Keys of stored records that have expired.
    expired: BTreeSet<Key>,
    /// Keys of the records to be written.
    new: Vec<Key>,
}

impl IdempotencyRecords {
    /// Reads the records of the operations' requests.
    pub async fn read<DB: Backend>(
        connection: &mut Connection<DB>,
        now: Millis,
        operations: &[BatchedOperation],
    ) -> Result<Self, Error> {
        let mut records = Self {
            now,
            known: BTreeMap::new(),
            expired: BTreeSet::new(),
            new: Vec::new(),
        };
        let mut read = BoundStatement::of(&READ);
        for (app_no, key) in operations.iter().filter_map(key) {
            read.push_row([app_no.into(), key.0.as_slice().into()]);
        }
        if read.is_empty() {
            return Ok(records);
        }
        for mut row in connection.fetch(read).await? {
            let app_no = row.int()?;
            let key = row.bytes()?;
            let fingerprint = exact(&row.bytes()?).map(Fingerprint);
            let outcome = Outcome::decode(&row.text()?);
            let (key, record) = exact(&key)
                .map(RequestKey)
                .zip(fingerprint.zip(outcome))
                .ok_or_else(|| corrupt("request", "result", &format!("{key:02x?}")))?;
            if row.millis()? > now {
                records.known.insert((app_no, key), record);
            } else {
                records.expired.insert((app_no, key));
            }
        }
        Ok(records)
    }

    /// Returns the recorded verdict of an operation's request. The same key with another
    /// fingerprint is [`Refusal::RequestIdReused`].
    pub fn find(&self, operation: &BatchedOperation) -> Option<Verdict> {
        let (fingerprint, outcome) = self.known.get(&key(operation)?)?;
        let same = operation.operation.request?.fingerprint == *fingerprint;
        Some(if same {
            Ok(outcome.clone())
        } else {
            Err(Refusal::RequestIdReused)
        })
    }

    /// Records the outcome of an operation that has a request. Refusals are not recorded.
    pub fn add(&mut self, operation: &BatchedOperation, outcome: &Outcome) {
        if let (Some(key), Some(request)) = (key(operation), operation.operation.request) {
            self.known
                .insert(key, (request.fingerprint, outcome.clone()));
            self.new.push(key);
        }
    }

    /// Writes the new records in the order of their keys.
    ///
    /// # Errors
    /// [`Error::Busy`] if another transaction has recorded one of the requests since.
    pub async fn write<DB: Backend>(
        mut self,
        connection: &mut Connection<DB>,
    ) -> Result<(), Error> {
        self.new.sort_unstable();
        let mut delete = BoundStatement::of(&DELETE);
        let mut insert = BoundStatement::of(&INSERT).bind(self.now.after(IDEMPOTENCY_MS).0);
        for key in &self.new {
            let (app_no, request_key) = (key.0, key.1.0.as_slice());
            if self.expired.contains(key) {
                delete.push_row([app_no.into(), request_key.into()]);
            }
            let (fingerprint, outcome) = &self.known[key];
            insert.push_row([
                app_no.into(),
                request_key.into(),
                fingerprint.0.as_slice().into(),
                outcome.encode().into(),
            ]);
        }
        connection.change("request", delete).await?;
        connection.change("request", insert).await
    }
}

fn key(operation: &BatchedOperation) -> Option<Key> {
    Some((operation.app.app_no, operation.operation.request?.key))
}

fn exact<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
