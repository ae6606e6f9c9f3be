//! Idempotency: the outcome of each request is stored with its key and fingerprint, in the
//! transaction of its changes, and returned when the request is repeated.

mod stored_outcome;

use std::collections::{BTreeMap, BTreeSet};

use domain::limits::IDEMPOTENCY_MS;
use domain::request::{Fingerprint, RequestKey};
use domain::{Now, Outcome, Refusal};
use storage::Error;

use super::operation::{BatchedOperation, Verdict};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::table::request::{self, RequestRow};

type RecordKey = (i64, RequestKey);

/// The idempotency records of a batch's requests.
pub struct IdempotencyRecords {
    now: Now,
    /// Live records: those stored, and those of this batch.
    known: BTreeMap<RecordKey, (Fingerprint, Outcome)>,
    /// Keys of stored records that have expired.
    expired: BTreeSet<RecordKey>,
    /// Keys of the records to be written.
    new: Vec<RecordKey>,
}

impl IdempotencyRecords {
    /// Reads the records of the operations' requests.
    pub async fn read<DB: Backend>(
        connection: &mut Connection<DB>,
        now: Now,
        operations: &[BatchedOperation],
    ) -> Result<Self, Error> {
        let mut records = Self {
            now,
            known: BTreeMap::new(),
            expired: BTreeSet::new(),
            new: Vec::new(),
        };
        let mut read = BoundStatement::of(&request::READ);
        for (app_no, key) in operations.iter().filter_map(key) {
            read.push_row([app_no.into(), key.0.as_slice().into()]);
        }
        if read.is_empty() {
            return Ok(records);
        }
        for mut row in connection.fetch(read).await? {
            let (app_no, row) = (row.int()?, row.request()?);
            let outcome = stored_outcome::decode(&row.result)
                .ok_or_else(|| corrupt("request", "result", &format!("{:02x?}", row.key.0)))?;
            if row.expire_ms > now.due_ms {
                let record = (row.fingerprint, outcome);
                records.known.insert((app_no, row.key), record);
            } else {
                records.expired.insert((app_no, row.key));
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
        let expired = self.new.iter().filter(|key| self.expired.contains(key));
        connection
            .write(request::DELETE.rows(expired.copied()))
            .await?;
        let expire_ms = self.now.ms.after(IDEMPOTENCY_MS);
        let new = self.new.iter().map(|key| {
            let (fingerprint, outcome) = &self.known[key];
            let row = RequestRow {
                key: key.1,
                fingerprint: *fingerprint,
                result: stored_outcome::encode(outcome),
                expire_ms,
            };
            (key.0, row)
        });
        connection.write(request::INSERT.rows(new)).await
    }
}

fn key(operation: &BatchedOperation) -> Option<RecordKey> {
    Some((operation.app.app_no, operation.operation.request?.key))
}
