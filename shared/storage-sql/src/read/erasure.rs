//! Erasure of a profile.

use domain::{ErasureKey, ProfileId};
use storage::{ErasureReport, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

pub static REPORT: Statement = Statement::new(
    "erasure.report",
    2,
    "SELECT e.request_ms, e.done_ms FROM erasure e WHERE e.app_no = $1 AND e.profile_key = $2",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    profile: &ProfileId,
) -> Result<Option<ErasureReport>, Error> {
    let statement = BoundStatement::of(&REPORT)
        .bind(app_no)
        .bind(ErasureKey::of(profile).uuid());
    let row = connection.fetch_one(statement).await?;
    row.map(|mut row| {
        Ok(ErasureReport {
            requested: row.millis()?,
            done: row.column("erasure", "done_ms")?,
        })
    })
    .transpose()
}
