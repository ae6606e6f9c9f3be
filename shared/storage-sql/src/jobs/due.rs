//! Due jobs, as all kinds read them.

use storage::Error;

use super::runner::DueJob;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::pool::Pool;
use crate::db::row::RowReader;
use crate::table::app::AppKey;

/// Lists due jobs. A row has the number and the id of the app, what `job_id` reads of it, and the time
/// of the last step. The number of the app is the id of a job that the app has only one of.
pub async fn list<DB: Backend, Id>(
    pool: &Pool<DB>,
    due: BoundStatement,
    job_id: impl Fn(i64, &mut RowReader<DB>) -> Result<Id, Error>,
) -> Result<Vec<DueJob<Id>>, Error> {
    let rows = Connection::of(pool).await?.fetch(due).await?;
    let due = rows.into_iter().map(|mut row| {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        Ok(DueJob {
            id: job_id(app.app_no, &mut row)?,
            app,
            last_step_ms: row.millis()?,
        })
    });
    due.collect()
}
