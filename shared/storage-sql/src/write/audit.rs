//! Audit records of a batch, written in the transaction of the changes that they are about.

use std::sync::Arc;

use domain::audit::{AuditId, AuditIds, AuditKey, AuditRecord, AuditedCall};
use domain::operation::Apply as _;
use domain::{AppId, Millis, Outcome};
use storage::Error;
use uuid::{NoContext, Timestamp, Uuid};

use super::operation::BatchedOperation;
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::table::audit::{self, SealedRecord};
use crate::table::audit_id;

/// Records of the operations of a batch that were carried out.
#[derive(Default)]
pub struct AuditRecords(Vec<NewRecord>);

struct NewRecord {
    app_no: i64,
    app_id: AppId,
    call: Arc<AuditedCall>,
    time: Millis,
    ids: Vec<AuditId>,
    affected: i64,
}

impl AuditRecords {
    /// Adds the record of an operation, or of a part of it, if its call is audited.
    pub fn add(&mut self, operation: &BatchedOperation, outcome: &Outcome, time: Millis) {
        let Some(call) = &operation.audit else {
            return;
        };
        let mut ids = outcome.new_ids();
        ids.extend(operation.operation.action.audited_ids());
        self.0.push(NewRecord {
            app_no: operation.app.app_no,
            app_id: operation.app.app_id.clone(),
            call: Arc::clone(call),
            time,
            ids,
            affected: outcome.affected(),
        });
    }

    /// Seals the records, and writes them with their ids.
    ///
    /// # Errors
    /// [`Error::Internal`] if there are records, and no key.
    pub async fn write<DB: Backend>(
        self,
        connection: &mut Connection<DB>,
        key: Option<&AuditKey>,
    ) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let key = key.ok_or_else(|| Error::Internal("the audit log has no key".into()))?;
        let sealed: Vec<(i64, SealedRecord, AuditIds)> =
            self.0.into_iter().map(|new| new.seal(key)).collect();
        let ids = sealed
            .iter()
            .map(|(app_no, row, ids)| (*app_no, (row.record.record_id, ids.encode())));
        let ids = audit_id::INSERT.rows(ids);
        let records = sealed.iter().map(|(app_no, row, _)| (*app_no, row));
        connection.write(audit::INSERT.rows(records)).await?;
        connection.write(ids).await
    }
}

impl NewRecord {
    fn seal(self, key: &AuditKey) -> (i64, SealedRecord, AuditIds) {
        let Self { call, ids, .. } = self;
        let id_count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let subject = call.subject.clone().map(AuditId::Subject);
        let ids = AuditIds::new(subject.into_iter().chain(ids).collect(), rand::random);
        let record = AuditRecord {
            record_id: record_id(self.time),
            time: self.time,
            kind: call.kind,
            method: call.method.to_owned(),
            affected: self.affected,
            issuer: call.issuer.to_string(),
            key_id: call.key_id.as_deref().map(str::to_owned),
            call_id: call.call_id,
            request_hash: call.request.hash(),
            id_count,
            ids_root: ids.root(),
        };
        let seal = key.seal(&self.app_id, &record);
        (self.app_no, SealedRecord { record, seal }, ids)
    }
}

/// Returns a new id, a `UUIDv7`, so that records are found in the order of their times.
fn record_id(time: Millis) -> Uuid {
    let seconds = u64::try_from(time.0 / 1000).unwrap_or(0);
    let nanos = u32::try_from(time.0 % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos))
}
