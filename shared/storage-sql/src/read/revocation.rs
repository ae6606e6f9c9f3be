//! Revocation of the tokens of a profile.

use domain::{ErasureKey, Millis, ProfileId};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

/// The time of a revocation, or of the erasure of the profile.
pub static REVOKED_BEFORE: Statement = Statement::new(
    "revocation.of_profile",
    3,
    "SELECT max(revoked.before_ms) FROM (
         SELECT v.before_ms FROM revocation v WHERE v.app_no = $1 AND v.profile_id = $2
         UNION ALL
         SELECT e.request_ms FROM erasure e WHERE e.app_no = $1 AND e.profile_key = $3
     ) AS revoked",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    profile: &ProfileId,
) -> Result<Option<Millis>, Error> {
    let statement = BoundStatement::of(&REVOKED_BEFORE)
        .bind(app_no)
        .bind(profile.as_str())
        .bind(ErasureKey::of(profile).uuid());
    let row = connection.fetch_one(statement).await?;
    let before = row.map_or(Ok(None), |mut row| row.int_or_null())?;
    Ok(before.map(Millis))
}
