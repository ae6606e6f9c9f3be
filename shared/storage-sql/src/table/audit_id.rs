//! Table `audit_id`: the ids that the calls of audit records touched.

use uuid::Uuid;

use crate::db::column::written_columns;
use crate::db::dialect::Kind;
use crate::db::row_statement::RowStatement;
use crate::db::statement::Statement;

/// Ids of a record, encoded.
pub type IdsRow = (Uuid, Vec<u8>);

written_columns! {
    static COLUMNS: |row: IdsRow| {
        Key record_id: Uuid = row.0;
        Mutable ids: Vec<u8> = row.1;
    }
}

written_columns! {
    static KEY: |record_id: Uuid| {
        Key record_id: Uuid = *record_id;
    }
}

pub static INSERT: RowStatement<IdsRow> =
    RowStatement::insert("audit_id.insert", "audit_id", &[COLUMNS]);

pub static UPDATE: RowStatement<IdsRow> =
    RowStatement::update("audit_id.update", "audit_id", &[COLUMNS]);

pub static DELETE: RowStatement<Uuid> = RowStatement::delete("audit_id.delete", "audit_id", &[KEY]);

pub static READ: Statement = Statement::with_rows(
    "audit_id.read",
    0,
    &[("app_no", Kind::Int), ("record_id", Kind::Uuid)],
    "SELECT i.record_id, i.ids FROM r
     CROSS JOIN audit_id i WHERE i.app_no = r.app_no AND i.record_id = r.record_id",
);

/// The next `$3` records behind `$2`, locked.
pub static LOCK_NEXT: Statement = Statement::new(
    "audit_id.lock_next",
    3,
    "SELECT i.record_id, i.ids FROM audit_id i
     WHERE i.app_no = $1 AND i.record_id > $2 ORDER BY i.record_id LIMIT $3",
)
.locking("i");
