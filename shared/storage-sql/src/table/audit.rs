//! Table `audit`: records of privileged calls, sealed, and then numbered and chained.

use domain::Millis;
use domain::audit::{AuditKind, AuditLink, AuditRecord, Mac};
use uuid::Uuid;

use crate::db::column::{columns, written_columns};
use crate::db::row_statement::RowStatement;
use crate::db::statement::Statement;

/// A record and its seal.
#[derive(Debug, Clone)]
pub struct SealedRecord {
    pub record: AuditRecord,
    pub seal: Mac,
}

columns! {
    static COLUMNS of "audit": |row: SealedRecord| {
        Key record_id: Uuid = row.record.record_id;
        Fixed call_id: Uuid = row.record.call_id;
        Fixed time_ms: Millis = row.record.time;
        Fixed affected: i64 = row.record.affected;
        Fixed id_count: i64 = row.record.id_count;
        Fixed kind: AuditKind = row.record.kind;
        Fixed method: String = row.record.method;
        Fixed issuer: String = row.record.issuer;
        Fixed key_id: Option<String> = row.record.key_id;
        Fixed request_hash: [u8; 32] = row.record.request_hash;
        Fixed ids_root: [u8; 32] = row.record.ids_root;
        Fixed seal: Mac = row.seal;
    }
    select audit_columns from "a";
    fn sealed_record() -> SealedRecord {
        Ok(SealedRecord {
            record: AuditRecord {
                record_id,
                time: time_ms,
                kind,
                method,
                affected,
                issuer,
                key_id,
                call_id,
                request_hash,
                id_count,
                ids_root,
            },
            seal,
        })
    }
}

pub(crate) use audit_columns;

written_columns! {
    static NUMBER_AND_MAC: |numbered: (Uuid, AuditLink)| {
        Key record_id: Uuid = numbered.0;
        Mutable audit_no: i64 = numbered.1.no;
        Mutable mac: Mac = numbered.1.mac;
    }
}

written_columns! {
    static KEY: |record_id: Uuid| {
        Key record_id: Uuid = *record_id;
    }
}

/// Adds records in the order of the batch: their positions have the same order.
pub static INSERT: RowStatement<SealedRecord> =
    RowStatement::insert_in_order("audit.insert", "audit", &[COLUMNS]);

pub static NUMBER: RowStatement<(Uuid, AuditLink)> =
    RowStatement::update("audit.number", "audit", &[NUMBER_AND_MAC]);

pub static DELETE: RowStatement<Uuid> = RowStatement::delete("audit.delete", "audit", &[KEY]);

/// The first `$2` records without a number.
pub static UNNUMBERED: Statement = Statement::new(
    "audit.unnumbered",
    2,
    "SELECT a.record_id, a.time_ms, a.seal FROM audit a
     WHERE a.app_no = $1 AND a.audit_no = 0 ORDER BY a.pos LIMIT $2",
);

/// The first `$3` records behind a number.
pub static OLDEST: Statement = Statement::new(
    "audit.oldest",
    3,
    "SELECT a.record_id, a.time_ms, a.audit_no, a.mac FROM audit a
     WHERE a.app_no = $1 AND a.audit_no > $2 AND a.audit_no > 0
     ORDER BY a.audit_no LIMIT $3",
);
