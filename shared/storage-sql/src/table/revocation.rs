//! Table `revocation`: the time of issue before which the tokens of a profile are revoked.

use domain::{Millis, ProfileId, Revocation};

use super::BatchChanges;
use crate::db::column::written_columns;
use crate::db::row_statement::{RowStatement, TableWrite};

type RevocationRow = (ProfileId, Revocation);

written_columns! {
    static COLUMNS: |row: RevocationRow| {
        Key profile_id: ProfileId = row.0;
        Mutable before_ms: Millis = row.1.before;
    }
}

/// Adds revocations. That of the latest time stays in force.
pub static ADD: RowStatement<RevocationRow> = RowStatement::text(
    "revocation.add",
    "revocation",
    &[COLUMNS],
    "INSERT INTO revocation (app_no, profile_id, before_ms)
     SELECT r.app_no, r.profile_id, r.before_ms FROM r WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, profile_id) DO UPDATE SET before_ms = CASE
         WHEN excluded.before_ms > revocation.before_ms THEN excluded.before_ms
         ELSE revocation.before_ms END",
);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![ADD.rows(batch.iter().flat_map(|(app_no, changes)| {
        let revocations = changes.revocations.iter();
        revocations.map(|(profile_id, revocation)| (*app_no, (profile_id.clone(), *revocation)))
    }))]
}
