//! State of an app: settings and the number of its last revocation.

use domain::Millis;
use storage::{AppState, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

pub static APP_STATE: Statement = Statement::new(
    "app.state",
    2,
    "SELECT a.settings, a.last_revocation, CASE WHEN a.erase_ms <= $2 THEN 1 ELSE 0 END
     FROM app a WHERE a.app_no = $1",
);

/// Reads the state of an app; none if there is no app of this number.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    now: Millis,
) -> Result<Option<AppState>, Error> {
    let statement = BoundStatement::of(&APP_STATE).bind(app_no).bind(now.0);
    let row = connection.fetch_one(statement).await?;
    row.map(|mut row| {
        Ok(AppState {
            settings: row.settings()?,
            last_revocation: row.int()?,
            is_erased: row.int()? > 0,
        })
    })
    .transpose()
}
