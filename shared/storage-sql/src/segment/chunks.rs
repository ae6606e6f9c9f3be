//! Chunks of a segment's recipients, in table `send_chunk`.

use domain::ProfileId;
use domain::limits::CHUNK_RECIPIENTS;
use domain::segment::JobId;
use storage::Error;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::column::{parse_recipients, recipients_text};
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::db::statement::Statement;

pub static READ: Statement = Statement::new(
    "send_chunk.read",
    4,
    "SELECT c.recipients FROM send_chunk c
     WHERE c.app_no = $1 AND c.job_id = $2 AND c.run_no = $3 AND c.chunk_no = $4",
);

/// Writes nothing for a deleted job: nothing would ever delete those chunks.
pub static WRITE: Statement = Statement::with_rows(
    "send_chunk.insert",
    3,
    &[("chunk_no", Kind::Int), ("recipients", Kind::Text)],
    "INSERT INTO send_chunk (app_no, job_id, run_no, chunk_no, recipients)
     SELECT $1, $2, $3, r.chunk_no, r.recipients FROM r
     WHERE EXISTS (SELECT 1 FROM send_job j WHERE j.app_no = $1 AND j.job_id = $2)",
);

pub static FORGET: Statement = Statement::new(
    "send_chunk.delete",
    5,
    "DELETE FROM send_chunk WHERE app_no = $1 AND job_id = $2 AND run_no = $3
     AND chunk_no >= $4 AND chunk_no < $5",
);

/// A run: sorted, distinct recipients of a job, stored in chunks.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub app_no: i64,
    pub job_id: JobId,
    pub number: i64,
}

impl Run {
    fn call(self, statement: &'static Statement) -> BoundStatement {
        BoundStatement::of(statement)
            .bind(self.app_no)
            .bind(self.job_id.uuid())
            .bind(self.number)
    }

    /// Reads a chunk. None beyond the last one.
    pub async fn chunk<DB: Backend>(
        self,
        pool: &Pool<DB>,
        chunk_no: i64,
    ) -> Result<Option<Vec<ProfileId>>, Error> {
        let call = self.call(&READ).bind(chunk_no);
        let Some(mut row) = Connection::of(pool).await?.fetch_one(call).await? else {
            return Ok(None);
        };
        let recipients = parse_recipients(&row.text()?);
        recipients
            .map(Some)
            .ok_or_else(|| corrupt("send_chunk", "recipients", &self.job_id))
    }

    /// Returns the statement that writes recipients in chunks from `first_chunk_no` on, all full
    /// but the last.
    pub fn write(self, first_chunk_no: i64, recipients: &[ProfileId]) -> BoundStatement {
        let mut call = self.call(&WRITE);
        for (chunk_no, chunk) in (first_chunk_no..).zip(recipients.chunks(CHUNK_RECIPIENTS)) {
            call.push_row([chunk_no.into(), recipients_text(chunk).into()]);
        }
        call
    }

    /// Returns the statement that deletes the chunks from `first` up to but excluding `end`.
    pub fn forget(self, first: i64, end: i64) -> BoundStatement {
        self.call(&FORGET).bind(first).bind(end)
    }
}

/// A completely written run, with the number of recipients to find in it again.
#[derive(Clone, Copy)]
pub struct StoredRun {
    pub run: Run,
    pub recipients: i64,
    pub digest: [u8; 32],
}

/// The error for stored recipients that are missing: the database was restored, or the upload
/// has expired.
pub fn lost() -> Error {
    Error::Unavailable("stored recipients are missing".into())
}
