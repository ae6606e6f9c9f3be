//! Progress of send jobs.

use domain::Millis;
use domain::segment::{JobReport, SendJob};
use storage::Error;
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::table::send_job::job_columns;

pub static JOB: Statement = Statement::new(
    "send_job.report",
    3,
    concat!(
        "SELECT ",
        job_columns!(),
        " FROM send_job j WHERE j.app_no = $1 AND j.expire_ms + 0 > $3 AND j.job_id = coalesce((
             SELECT m.job_id FROM message m WHERE m.app_no = $1 AND m.message_id = $2
         ), $2)"
    ),
);

/// Returns the progress of the job with this id, or of the job of the message with this id.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    id: Uuid,
    now: Millis,
) -> Result<Option<JobReport>, Error> {
    let statement = BoundStatement::of(&JOB).bind(app_no).bind(id).bind(now.0);
    let Some(mut row) = connection.fetch_one(statement).await? else {
        return Ok(None);
    };
    let job: SendJob = row.job()?;
    Ok(job.report())
}
