//! State of an app: settings and the number of its last revocation.

use storage::{AppState, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

pub static APP_STATE: Statement = Statement::new(
    "app.state",
    1,
    "SELECT a.settings, a.last_revocation FROM app a WHERE a.app_no = $1",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
) -> Result<AppState, Error> {
    let statement = BoundStatement::of(&APP_STATE).bind(app_no);
    match connection.fetch_one(statement).await? {
        Some(mut row) => Ok(AppState {
            settings: row.settings()?,
            last_revocation: row.int()?,
        }),
        None => Ok(AppState::default()),
    }
}
