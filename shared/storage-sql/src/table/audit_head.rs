//! Table `audit_head`: the ends of the chain of each app's audit log, and the steps of its job.

use domain::Millis;
use domain::audit::{AuditHead, AuditKeyId, AuditLink, Mac};

use crate::db::column::columns;
use crate::db::row_statement::RowStatement;
use crate::db::statement::Statement;

/// The ends of a chain, sealed, and what the job did last.
#[derive(Debug, Clone)]
pub struct ChainRow {
    pub head: AuditHead,
    pub seal: Mac,
    /// Key of the seal.
    pub key_id: AuditKeyId,
    /// Time of the first record that is kept; none without records.
    pub oldest: Option<Millis>,
    /// Number of the record that was last logged.
    pub told_no: i64,
    /// Time at which it was logged.
    pub told: Millis,
    /// Time of the last step.
    pub step: Millis,
}

columns! {
    static COLUMNS of "audit_head": |row: ChainRow| {
        Mutable last_no: i64 = row.head.last.no;
        Mutable last_mac: Mac = row.head.last.mac;
        Mutable anchor_no: i64 = row.head.anchor.no;
        Mutable anchor_mac: Mac = row.head.anchor.mac;
        Mutable seal: Mac = row.seal;
        Mutable key_id: AuditKeyId = row.key_id;
        Mutable oldest_ms: Option<Millis> = row.oldest;
        Mutable told_no: i64 = row.told_no;
        Mutable told_ms: Millis = row.told;
        Mutable step_ms: Millis = row.step;
    }
    select audit_head_columns from "h";
    fn chain_row() -> ChainRow {
        Ok(ChainRow {
            head: AuditHead {
                last: AuditLink { no: last_no, mac: last_mac },
                anchor: AuditLink { no: anchor_no, mac: anchor_mac },
            },
            seal,
            key_id,
            oldest: oldest_ms,
            told_no,
            told: told_ms,
            step: step_ms,
        })
    }
}

pub static READ: Statement = Statement::new(
    "audit_head.read",
    1,
    concat!(
        "SELECT ",
        audit_head_columns!(),
        " FROM audit_head h WHERE h.app_no = $1"
    ),
);

/// The same, locked unless another transaction has locked it.
pub static LOCK: Statement = Statement::new(
    "audit_head.lock",
    1,
    concat!(
        "SELECT ",
        audit_head_columns!(),
        " FROM audit_head h WHERE h.app_no = $1"
    ),
)
.locking_free("h");

/// Begins the chain of an app that has none.
pub static CREATE: RowStatement<ChainRow> = RowStatement::text(
    "audit_head.create",
    "audit_head",
    &[COLUMNS],
    " INSERT INTO audit_head (app_no, last_no, last_mac, anchor_no, anchor_mac, seal, key_id,
         oldest_ms, told_no, told_ms, step_ms)
     SELECT r.app_no, r.last_no, r.last_mac, r.anchor_no, r.anchor_mac, r.seal, r.key_id,
         r.oldest_ms, r.told_no, r.told_ms, r.step_ms FROM r WHERE true
     ON CONFLICT (app_no) DO NOTHING",
);

pub static UPDATE: RowStatement<ChainRow> =
    RowStatement::update("audit_head.update", "audit_head", &[COLUMNS]);

/// Apps behind `$1` that have a chain or records, by their ids.
pub static APPS: Statement = Statement::new(
    "audit_head.apps",
    2,
    "SELECT a.app_id FROM app a WHERE a.app_id > $1
         AND (EXISTS (SELECT 1 FROM audit_head h WHERE h.app_no = a.app_no)
             OR EXISTS (SELECT 1 FROM audit u WHERE u.app_no = a.app_no AND u.audit_no > 0))
     ORDER BY a.app_id LIMIT $2",
);

/// Ids of the keys that have sealed heads, each once.
pub static KEYS: Statement = Statement::new(
    "audit_head.keys",
    0,
    "WITH RECURSIVE used (key_id) AS (
         SELECT (SELECT h.key_id FROM audit_head h ORDER BY h.key_id LIMIT 1)
         UNION ALL
         SELECT (
             SELECT h.key_id FROM audit_head h WHERE h.key_id > u.key_id ORDER BY h.key_id LIMIT 1
         ) FROM used u WHERE u.key_id IS NOT NULL
     )
     SELECT u.key_id FROM used u WHERE u.key_id IS NOT NULL",
);
