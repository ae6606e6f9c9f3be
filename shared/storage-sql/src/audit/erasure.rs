//! Erasure of a profile from the ids beside audit records.

use domain::ProfileId;
use domain::audit::AuditIds;
use storage::Error;
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::{Transaction, wrap};
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::table::audit_id;

/// Number of records in one transaction.
const RECORDS: i64 = 200;

/// Erases a profile from the ids of the next records of an app behind `after`. Returns the last
/// record looked at; none behind the last one.
pub async fn erase<DB: Backend>(
    pool: &Pool<DB>,
    app_no: i64,
    profile: &ProfileId,
    after: Option<Uuid>,
) -> Result<Option<Uuid>, Error> {
    let mut transaction = Transaction::begin(pool).await?;
    let next = BoundStatement::of(&audit_id::LOCK_NEXT)
        .bind(app_no)
        .bind(after.unwrap_or_default())
        .bind(RECORDS);
    let (mut last, mut changed) = (None, Vec::new());
    for mut row in transaction.connection().fetch(next).await? {
        let record_id = row.uuid()?;
        let encoded: Vec<u8> = row.column("audit_id", "ids")?;
        let ids = AuditIds::decode(&encoded);
        let mut ids = ids.ok_or_else(|| corrupt("audit_id", "ids", &record_id))?;
        if ids.erase(profile) {
            changed.push((app_no, (record_id, ids.encode())));
        }
        last = Some(record_id);
    }
    let update = audit_id::UPDATE.rows(changed);
    transaction.connection().write(update).await?;
    transaction.commit().await.map_err(wrap::<DB>)?;
    Ok(last)
}
