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

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    now: Millis,
) -> Result<AppState, Error> {
    let statement = BoundStatement::of(&APP_STATE).bind(app_no).bind(now.0);
    match connection.fetch_one(statement).await? {
        Some(mut row) => Ok(AppState {
            settings: row.settings()?,
            last_revocation: row.int()?,
            is_erased: row.int()? > 0,
        }),
        None => Ok(AppState::default()),
    }
}
