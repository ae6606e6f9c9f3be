//! Recipients of segments, which are stored in sorted chunks.

use std::cmp::Ordering;

use domain::ProfileId;
use domain::segment::{JobId, chunks};
use storage::Error;
use uuid::Uuid;

use super::ErasureStep;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::column::recipients_text;
use crate::db::connection::{Connection, transact};
use crate::db::statement::Statement;
use crate::segment::chunks::Run;

/// The next job behind `$2` whose recipients are complete.
pub static NEXT: Statement = Statement::new(
    "send_job.next",
    2,
    "SELECT j.job_id, j.run_no, j.accepted FROM send_job j
     WHERE j.app_no = $1 AND j.job_id > $2 AND j.state <> 0 ORDER BY j.job_id LIMIT 1",
);

pub static UPDATE: Statement = Statement::new(
    "send_chunk.update",
    5,
    "UPDATE send_chunk SET recipients = $5
     WHERE app_no = $1 AND job_id = $2 AND run_no = $3 AND chunk_no = $4",
);

/// Removes the profile from the recipients of the next job. Returns that job; none if there is none.
pub async fn next<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    place: Option<Uuid>,
) -> Result<Option<Uuid>, Error> {
    let app_no = step.app.app_no;
    let read = BoundStatement::of(&NEXT)
        .bind(app_no)
        .bind(place.unwrap_or_default());
    let mut connection = Connection::of(&step.jobs.read).await?;
    let row = connection.fetch_one(read).await?;
    drop(connection);
    let Some(mut row) = row else {
        return Ok(None);
    };
    let job_id = row.uuid()?;
    let run = Run {
        app_no,
        job_id: JobId::new(job_id),
        number: row.int()?,
    };
    let found = find(step, run, chunks(row.int()?)).await?;
    if let Some((chunk_no, mut recipients)) = found {
        recipients.retain(|recipient| recipient != step.profile);
        let update = BoundStatement::of(&UPDATE)
            .bind(app_no)
            .bind(job_id)
            .bind(run.number)
            .bind(chunk_no)
            .bind(recipients_text(&recipients));
        transact(&step.jobs.write, vec![update]).await?;
    }
    Ok(Some(job_id))
}

/// Finds the chunk with the profile by binary search.
async fn find<DB: Backend>(
    step: &ErasureStep<'_, DB>,
    run: Run,
    count: i64,
) -> Result<Option<(i64, Vec<ProfileId>)>, Error> {
    let (mut first, mut end) = (0, count);
    while first < end {
        let middle = first + (end - first) / 2;
        let Some(recipients) = run.chunk(&step.jobs.read, middle).await? else {
            return Ok(None);
        };
        match place_of(step.profile, &recipients) {
            Ordering::Less => end = middle,
            Ordering::Greater => first = middle + 1,
            Ordering::Equal => {
                let has_it = recipients.binary_search(step.profile).is_ok();
                return Ok(has_it.then_some((middle, recipients)));
            }
        }
    }
    Ok(None)
}

/// Place of a profile against a chunk. A chunk from which its only recipient was removed is the last.
fn place_of(profile: &ProfileId, recipients: &[ProfileId]) -> Ordering {
    match (recipients.first(), recipients.last()) {
        (Some(first), _) if profile < first => Ordering::Less,
        (_, Some(last)) if profile > last => Ordering::Greater,
        (Some(_), _) => Ordering::Equal,
        (None, _) => Ordering::Less,
    }
}
