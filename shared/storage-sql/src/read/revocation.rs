//! Revocation of the tokens of a profile.

use domain::{Millis, ProfileId};
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

pub static REVOKED_BEFORE: Statement = Statement::new(
    "revocation.of_profile",
    2,
    "SELECT v.before_ms FROM revocation v WHERE v.app_no = $1 AND v.profile_id = $2",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    profile: &ProfileId,
) -> Result<Option<Millis>, Error> {
    let statement = BoundStatement::of(&REVOKED_BEFORE)
        .bind(app_no)
        .bind(profile.as_str());
    let row = connection.fetch_one(statement).await?;
    row.map(|mut row| Ok(Millis(row.int()?))).transpose()
}
