//! Chains of the audit log: the sequencer, which numbers the records of each app and chains them,
//! trims the oldest ones, and logs the head of each chain.
//!
//! An app is a job. Its head is locked by a step, which ends if another replica has taken one since
//! the job was listed: so a chain has no branches.

use std::sync::Arc;

use domain::audit::{AuditHead, AuditKey, AuditLink, Mac};
use domain::limits::{AUDIT_HEAD_MS, AUDIT_STEP_RECORDS};
use domain::number::saturating;
use domain::text::hexadecimal;
use domain::{Millis, Now};
use storage::{Clock, Error};
use uuid::Uuid;

use super::runner::{DueJob, JobKind, StepOutcome};
use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, wrap};
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::options::Options;
use crate::table::app::AppKey;
use crate::table::audit_head::{self, ChainRow};
use crate::table::{audit, audit_id};

/// Apps with records that have no number, with records older than `$1`, or with a head that was not
/// logged since `$2`; those first whose last step is longest ago.
pub static DUE: Statement = Statement::new(
    "audit_head.due",
    3,
    "WITH RECURSIVE waiting (app_no) AS (
         SELECT (
             SELECT a.app_no FROM audit a WHERE a.app_no > 0 AND a.audit_no = 0
             ORDER BY a.app_no LIMIT 1
         )
         UNION ALL
         SELECT (
             SELECT a.app_no FROM audit a WHERE a.app_no > w.app_no AND a.audit_no = 0
             ORDER BY a.app_no LIMIT 1
         ) FROM waiting w WHERE w.app_no IS NOT NULL
     ), due (app_no) AS (
         SELECT w.app_no FROM waiting w WHERE w.app_no IS NOT NULL
         UNION SELECT h.app_no FROM audit_head h WHERE h.oldest_ms < $1
         UNION SELECT h.app_no FROM audit_head h WHERE h.told_ms <= $2 AND h.told_no < h.last_no
     ), job (app_no, app_id, step_ms) AS (
         SELECT d.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = d.app_no), coalesce((
             SELECT h.step_ms FROM audit_head h WHERE h.app_no = d.app_no
         ), 0) FROM due d
     )
     SELECT j.app_no, j.app_id, j.step_ms FROM job j ORDER BY j.step_ms, j.app_no LIMIT $3",
);

/// The kind of job that chains the records of an app.
pub struct AuditChains<DB: Backend> {
    read: Pool<DB>,
    write: Pool<DB>,
    clock: Arc<dyn Clock>,
    key: Option<AuditKey>,
    keep_ms: i64,
}

impl<DB: Backend> AuditChains<DB> {
    /// Creates the kind. Without a key there are no jobs.
    pub fn new(pools: &Pools<DB>, options: &Options) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock: options.clock.clock(),
            key: options.audit.key.clone(),
            keep_ms: options.audit.keep_ms,
        }
    }

    /// The time before which records are trimmed.
    const fn cutoff(&self, now: Now) -> Millis {
        now.due_ms.after(-self.keep_ms)
    }
}

impl<DB: Backend> JobKind for AuditChains<DB> {
    /// Number of the app.
    type Id = i64;

    const NAME: &'static str = "audit";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<i64>>, Error> {
        if self.key.is_none() {
            return Ok(Vec::new());
        }
        let now = self.clock.now()?;
        let call = BoundStatement::of(&DUE)
            .bind(self.cutoff(now).0)
            .bind(now.ms.after(-AUDIT_HEAD_MS).0)
            .bind(jobs_max);
        let rows = Connection::of(&self.read).await?.fetch(call).await?;
        let due = rows.into_iter().map(|mut row| {
            let app_no = row.int()?;
            Ok(DueJob {
                app: AppKey {
                    app_no,
                    app_id: row.app_id()?,
                },
                id: app_no,
                last_step_ms: row.millis()?,
            })
        });
        due.collect()
    }

    async fn step(&self, due: &DueJob<i64>, now: Now) -> Result<StepOutcome, Error> {
        let Some(key) = &self.key else {
            return Ok(StepOutcome::Superseded);
        };
        let mut transaction = Transaction::begin(&self.write).await?;
        let mut step = ChainStep {
            connection: transaction.connection(),
            app: &due.app,
            key,
        };
        let chain = step.lock().await?;
        let Some(mut chain) = chain.filter(|chain| chain.step == due.last_step_ms) else {
            transaction.rollback().await?;
            return Ok(StepOutcome::Superseded);
        };
        step.number(&mut chain).await?;
        step.trim(&mut chain, self.cutoff(now)).await?;
        let last = chain.head.last;
        let tells = last.no > chain.told_no && chain.told <= now.ms.after(-AUDIT_HEAD_MS);
        if tells {
            (chain.told_no, chain.told) = (last.no, now.ms);
        }
        chain.step = Millis(now.ms.0.max(chain.step.0 + 1));
        step.write(&mut chain).await?;
        transaction.commit().await.map_err(wrap::<DB>)?;
        if tells {
            tracing::info!(
                app.id = due.app.app_id.as_str(),
                audit.no = last.no,
                audit.mac = hexadecimal(&last.mac),
                "audit.head"
            );
        }
        Ok(StepOutcome::Run(chain.step))
    }
}

/// A step of an app's chain, in a transaction.
struct ChainStep<'a, DB: Backend> {
    connection: &'a mut Connection<DB>,
    app: &'a AppKey,
    key: &'a AuditKey,
}

impl<DB: Backend> ChainStep<'_, DB> {
    /// Locks the chain, which is created if there is none. None if another transaction has locked it.
    async fn lock(&mut self) -> Result<Option<ChainRow>, Error> {
        if let Some(chain) = self.locked().await? {
            return Ok(Some(chain));
        }
        let empty = ChainRow {
            head: AuditHead::EMPTY,
            seal: self.key.seal_head(&self.app.app_id, &AuditHead::EMPTY),
            oldest: None,
            told_no: 0,
            told: Millis(0),
            step: Millis(0),
        };
        let create = audit_head::CREATE.rows_of_any_effect([(self.app.app_no, &empty)]);
        self.connection.write(create).await?;
        self.locked().await
    }

    async fn locked(&mut self) -> Result<Option<ChainRow>, Error> {
        let lock = BoundStatement::of(&audit_head::LOCK).bind(self.app.app_no);
        let row = self.connection.fetch_one(lock).await?;
        row.map(|mut row| row.chain_row()).transpose()
    }

    /// Numbers and chains the next records.
    async fn number(&mut self, chain: &mut ChainRow) -> Result<(), Error> {
        let read = BoundStatement::of(&audit::UNNUMBERED)
            .bind(self.app.app_no)
            .bind(saturating::<i64, _>(AUDIT_STEP_RECORDS));
        let mut numbered: Vec<(Uuid, AuditLink)> = Vec::new();
        for mut row in self.connection.fetch(read).await? {
            let (record_id, time) = (row.uuid()?, row.millis()?);
            let seal: Mac = row.column("audit", "seal")?;
            chain.head.last = self.key.link(&self.app.app_id, chain.head.last, &seal);
            chain.oldest = chain.oldest.or(Some(time));
            numbered.push((record_id, chain.head.last));
        }
        let numbered = numbered.iter().map(|row| (self.app.app_no, row));
        self.connection.write(audit::NUMBER.rows(numbered)).await
    }

    /// Deletes the next records that are older than a time. The last of them stays as the anchor of
    /// those that follow.
    async fn trim(&mut self, chain: &mut ChainRow, cutoff: Millis) -> Result<(), Error> {
        if chain.oldest.is_none_or(|oldest| oldest >= cutoff) {
            return Ok(());
        }
        let rows_max = saturating::<i64, _>(AUDIT_STEP_RECORDS + 1);
        let read = BoundStatement::of(&audit::OLDEST)
            .bind(self.app.app_no)
            .bind(chain.head.anchor.no)
            .bind(rows_max);
        let mut trimmed: Vec<Uuid> = Vec::new();
        chain.oldest = None;
        for mut row in self.connection.fetch(read).await? {
            let (record_id, time, no) = (row.uuid()?, row.millis()?, row.int()?);
            if time >= cutoff || trimmed.len() == AUDIT_STEP_RECORDS {
                chain.oldest = Some(time);
                break;
            }
            let mac: Mac = row.column("audit", "mac")?;
            chain.head.anchor = AuditLink { no, mac };
            trimmed.push(record_id);
        }
        let app_no = self.app.app_no;
        let ids = trimmed.iter().map(|id| (app_no, id));
        let ids = audit_id::DELETE.rows_of_any_effect(ids);
        self.connection.write(ids).await?;
        let records = trimmed.iter().map(|id| (app_no, id));
        self.connection.write(audit::DELETE.rows(records)).await
    }

    /// Seals and writes the ends of the chain.
    async fn write(&mut self, chain: &mut ChainRow) -> Result<(), Error> {
        chain.seal = self.key.seal_head(&self.app.app_id, &chain.head);
        let update = audit_head::UPDATE.rows([(self.app.app_no, &*chain)]);
        self.connection.write(update).await
    }
}
