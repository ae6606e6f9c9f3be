//! Table `erasure`: profiles that are being erased or were, each a job.

use domain::{ErasureKey, ErasurePhase, Millis, ProfileId, Revocation};
use storage::Error;
use uuid::Uuid;

use super::BatchChanges;
use crate::db::backend::Backend;
use crate::db::column::written_columns;
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

type NewErasure = (ProfileId, Revocation);

written_columns! {
    static NEW: |row: NewErasure| {
        Key profile_key: Uuid = ErasureKey::of(&row.0).uuid();
        Mutable profile_id: ProfileId = row.0;
        Mutable request_ms: Millis = row.1.before;
        Mutable next_ms: Millis = row.1.before.after(domain::limits::ERASURE_DELAY_MS);
    }
}

/// Adds erasures. One that exists begins again.
pub static ADD: RowStatement<NewErasure> = RowStatement::text(
    "erasure.add",
    "erasure",
    &[NEW],
    "INSERT INTO erasure (app_no, profile_key, profile_id, request_ms, next_ms, step_ms, phase)
     SELECT r.app_no, r.profile_key, r.profile_id, r.request_ms, r.next_ms, 0, 0
     FROM r WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, profile_key) DO UPDATE SET profile_id = excluded.profile_id,
         request_ms = excluded.request_ms, next_ms = excluded.next_ms, step_ms = 0, phase = 0,
         after_id = NULL, done_ms = NULL",
);

/// An erasure as far as its job has come.
#[derive(Debug, Clone)]
pub struct ErasureRow {
    /// The profile; none once it is erased.
    pub profile: Option<ProfileId>,
    pub phase: ErasurePhase,
    /// The last row that the phase has dealt with.
    pub place: Option<Uuid>,
    pub request: Millis,
    pub step: Millis,
}

pub static READ: Statement = Statement::new(
    "erasure.read",
    2,
    "SELECT e.profile_id, e.phase, e.after_id, e.request_ms, e.step_ms FROM erasure e
     WHERE e.app_no = $1 AND e.profile_key = $2",
);

/// Stores the progress of an erasure, unless another replica has: its last step was at `$3`.
pub static ADVANCE: Statement = Statement::new(
    "erasure.advance",
    8,
    "UPDATE erasure SET phase = $4, after_id = $5, step_ms = $6, next_ms = $7,
         profile_id = CASE WHEN $4 < 7 THEN profile_id END,
         done_ms = CASE WHEN $8 > 0 THEN $8 END
     WHERE app_no = $1 AND profile_key = $2 AND step_ms = $3",
);

pub static DELETE: Statement = Statement::new(
    "erasure.delete",
    3,
    "DELETE FROM erasure WHERE app_no = $1 AND profile_key = $2 AND step_ms = $3",
);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![ADD.rows(batch.iter().flat_map(|(app_no, changes)| {
        let erasures = changes.erasures.iter();
        erasures.map(|(profile, revocation)| (*app_no, (profile.clone(), *revocation)))
    }))]
}

impl<DB: Backend> RowReader<DB> {
    /// Reads the columns of [`READ`].
    pub fn erasure(&mut self) -> Result<ErasureRow, Error> {
        Ok(ErasureRow {
            profile: self.column("erasure", "profile_id")?,
            phase: self.column("erasure", "phase")?,
            place: self.column("erasure", "after_id")?,
            request: self.millis()?,
            step: self.millis()?,
        })
    }
}
