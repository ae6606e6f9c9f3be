//! Chains of the audit log: the sequencer, which numbers the records of each app and chains them,
//! trims the oldest ones, and logs the head of each chain.
//!
//! An app is a job. Its head is locked by a step, which ends if another replica has taken one since
//! the job was listed: so a chain has no branches.
//!
//! A head that the previous key has sealed is sealed with the current one by the next step, which is
//! due at once. One that a key has sealed which is not configured belongs to replicas that have it.

use std::sync::Arc;

use domain::audit::{AuditHead, AuditKey, AuditKeyId, AuditLink, Mac};
use domain::limits::{AUDIT_HEAD_MS, AUDIT_STEP_RECORDS};
use domain::number::saturating;
use domain::text::hexadecimal;
use domain::{Millis, Now};
use storage::{Clock, Error};
use uuid::Uuid;

use super::due;
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

/// Apps with records that have no number, with records older than `$1`, with a head that was not
/// logged since `$2`, or with one that key `$4` has sealed, but for those whose head another key than
/// `$3` or `$4` has sealed; those first whose last step is longest ago.
pub static DUE: Statement = Statement::new(
    "audit_head.due",
    5,
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
         UNION SELECT h.app_no FROM audit_head h WHERE h.key_id = $4
     ), job (app_no, app_id, step_ms, key_id) AS (
         SELECT d.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = d.app_no), coalesce((
             SELECT h.step_ms FROM audit_head h WHERE h.app_no = d.app_no
         ), 0), coalesce((
             SELECT h.key_id FROM audit_head h WHERE h.app_no = d.app_no
         ), $3) FROM due d
     )
     SELECT j.app_no, j.app_id, j.step_ms FROM job j
     WHERE j.key_id = $3 OR j.key_id = $4
     ORDER BY j.step_ms, j.app_no LIMIT $5",
);

/// The kind of job that chains the records of an app.
pub struct AuditChains<DB: Backend> {
    read: Pool<DB>,
    write: Pool<DB>,
    clock: Arc<dyn Clock>,
    keys: Option<ChainKeys>,
    keep_ms: i64,
}

/// Keys of chains.
struct ChainKeys {
    current: AuditKey,
    previous: Option<AuditKey>,
}

impl ChainKeys {
    /// Returns the key with an id; none if it is not configured.
    fn named(&self, id: AuditKeyId) -> Option<&AuditKey> {
        let keys = [Some(&self.current), self.previous.as_ref()];
        keys.into_iter().flatten().find(|key| key.id() == id)
    }
}

impl<DB: Backend> AuditChains<DB> {
    /// Creates the kind. Without a key there are no jobs.
    pub fn new(pools: &Pools<DB>, options: &Options) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock: options.clock.clock(),
            keys: options.audit.key.clone().map(|current| ChainKeys {
                current,
                previous: options.audit.previous_key.clone(),
            }),
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
        let Some(keys) = &self.keys else {
            return Ok(Vec::new());
        };
        let now = self.clock.now()?;
        let call = BoundStatement::of(&DUE)
            .bind(self.cutoff(now).0)
            .bind(now.ms.after(-AUDIT_HEAD_MS).0)
            .bind(keys.current.id().0)
            .bind(keys.previous.as_ref().map(|key| key.id().0))
            .bind(jobs_max);
        due::list(&self.read, call, |app_no, _| Ok(app_no)).await
    }

    async fn step(&self, due: &DueJob<i64>, now: Now) -> Result<StepOutcome, Error> {
        let Some(keys) = &self.keys else {
            return Ok(StepOutcome::Superseded);
        };
        let mut transaction = Transaction::begin(&self.write).await?;
        let mut step = ChainStep {
            connection: transaction.connection(),
            app: &due.app,
            key: &keys.current,
        };
        let chain = step.lock().await?;
        let chain = chain.filter(|chain| chain.step == due.last_step_ms);
        let sealer = chain.as_ref().and_then(|chain| keys.named(chain.key_id));
        let (Some(mut chain), Some(sealer)) = (chain, sealer) else {
            transaction.rollback().await?;
            return Ok(StepOutcome::Superseded);
        };
        let seal = sealer.seal_head(&due.app.app_id, &chain.head);
        let mut report = StepReport {
            is_intact: seal == chain.seal,
            replaced_key: Some(chain.key_id).filter(|id| *id != keys.current.id()),
            told_head: None,
        };
        step.number(&mut chain).await?;
        step.trim(&mut chain, self.cutoff(now)).await?;
        let last = chain.head.last;
        if last.no > chain.told_no && chain.told <= now.ms.after(-AUDIT_HEAD_MS) {
            (chain.told_no, chain.told) = (last.no, now.ms);
            report.told_head = Some(last);
        }
        chain.step = Millis(now.ms.0.max(chain.step.0 + 1));
        if report.is_intact {
            chain.seal = keys.current.seal_head(&due.app.app_id, &chain.head);
        }
        chain.key_id = keys.current.id();
        let update = audit_head::UPDATE.rows([(due.app.app_no, &chain)]);
        transaction.connection().write(update).await?;
        transaction.commit().await.map_err(wrap::<DB>)?;
        report.log(&due.app, chain.key_id);
        Ok(StepOutcome::Run(chain.step))
    }
}

/// Findings and changes of a step that are logged.
struct StepReport {
    /// False if the seal of the head did not hold. It is kept as it is then, and does not hold any
    /// more: a head that was changed is not covered up by a new seal.
    is_intact: bool,
    /// The previous key, if the head was sealed with it.
    replaced_key: Option<AuditKeyId>,
    /// The last record, if it is time to log it.
    told_head: Option<AuditLink>,
}

impl StepReport {
    fn log(&self, app: &AppKey, key: AuditKeyId) {
        let app_id = app.app_id.as_str();
        if let Some(replaced) = self.replaced_key {
            tracing::info!(
                app.id = app_id,
                audit.key_id = %key,
                audit.replaced_key_id = %replaced,
                "audit.key_replaced"
            );
        }
        let Some(head) = self.told_head else {
            return;
        };
        let (no, mac) = (head.no, hexadecimal(&head.mac));
        tracing::info!(
            app.id = app_id,
            audit.no = no,
            audit.mac = mac,
            "audit.head"
        );
        if !self.is_intact {
            tracing::error!(app.id = app_id, audit.no = no, "audit.head_changed");
        }
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
            key_id: self.key.id(),
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
}
