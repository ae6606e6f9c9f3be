//! Settings of an app.

use domain::Settings;
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;

pub static SETTINGS: Statement = Statement::new(
    "app.settings",
    1,
    "SELECT a.settings FROM app a WHERE a.app_no = $1",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
) -> Result<Settings, Error> {
    let statement = BoundStatement::of(&SETTINGS).bind(app_no);
    match connection.fetch_one(statement).await? {
        Some(mut row) => row.settings(),
        None => Ok(Settings::default()),
    }
}
