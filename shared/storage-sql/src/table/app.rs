//! Table `app`: an app, its settings, and the numbers of its last bulk event and revocation.

use domain::{AppErasure, AppId, Millis, Settings};
use storage::Error;

use super::app_usage::usage_sums;
use super::{BatchChanges, rows};
use crate::db::backend::Backend;
use crate::db::column::written_columns;
use crate::db::dialect::{BatchColumn, Kind};
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

/// An app, and the number that it had when last looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// Number, the key of the app's rows in all tables. A restore may change it.
    pub app_no: i64,
    /// Id, as in tokens.
    pub app_id: AppId,
}

pub static FIND: Statement = Statement::new(
    "app.find",
    1,
    "SELECT a.app_no FROM app a WHERE a.app_id = $1",
);

/// Creates an app; with `$3` 2, its usage is counted from the beginning.
pub static CREATE: Statement = Statement::new(
    "app.create",
    3,
    "INSERT INTO app (app_id, create_ms, usage_state) VALUES ($1, $2, $3)
     ON CONFLICT (app_id) DO NOTHING",
);

macro_rules! select_apps {
    () => {
        "SELECT a.app_no, a.settings, a.bulk_head, a.last_revocation, a.usage_state, {xid},
             (SELECT s.epoch FROM server s WHERE s.server_no = 1) FROM r
         CROSS JOIN app a WHERE a.app_no = r.app_no AND a.app_id = r.app_id ORDER BY r.ord"
    };
}

const KEY: [BatchColumn; 2] = [("app_no", Kind::Int), ("app_id", Kind::Text)];

/// Apps that still have their number, with the transaction and the epoch.
pub static READ: Statement = Statement::with_rows("app.read", 0, &KEY, select_apps!());

/// The same, locked.
pub static LOCK: Statement =
    Statement::with_rows("app.lock", 0, &KEY, select_apps!()).locking_free("a");

/// Locks an app, as soon as another transaction has released it.
pub static WAIT: Statement = Statement::new(
    "app.wait",
    1,
    "SELECT a.app_no FROM app a WHERE a.app_no = $1",
)
.locking("a");

written_columns! {
    static SETTINGS: |settings: Settings| {
        Mutable settings: Settings = *settings;
    }
}

written_columns! {
    static BULK_HEAD: |bulk_no: i64| {
        Mutable bulk_head: i64 = *bulk_no;
    }
}

written_columns! {
    static LAST_REVOCATION: |number: i64| {
        Mutable last_revocation: i64 = *number;
    }
}

pub static UPDATE_SETTINGS: RowStatement<Settings> =
    RowStatement::update("app.update_settings", "app", &[SETTINGS]);

pub static UPDATE_BULK_HEAD: RowStatement<i64> =
    RowStatement::update("app.update_bulk_head", "app", &[BULK_HEAD]);

written_columns! {
    static ERASURE: |erasure: AppErasure| {
        Mutable erase_ms: Option<Millis> = erasure.at;
    }
}

pub static UPDATE_ERASURE: RowStatement<AppErasure> =
    RowStatement::update("app.update_erasure", "app", &[ERASURE]);

pub static UPDATE_LAST_REVOCATION: RowStatement<i64> =
    RowStatement::update("app.update_last_revocation", "app", &[LAST_REVOCATION]);

written_columns! {
    static USAGE: |begin: Millis| {
        Mutable usage_state: i64 = 1;
        Mutable usage_ms: Millis = *begin;
    }
}

/// Has batches count the usage from now on.
pub static BEGIN_USAGE: RowStatement<Millis> =
    RowStatement::update("app.begin_usage", "app", &[USAGE]);

/// The usage of apps that is known.
pub static READ_USAGE: Statement = Statement::with_rows(
    "app.read_usage",
    0,
    &[("app_no", Kind::Int)],
    concat!(
        "SELECT a.app_no, ",
        usage_sums!(),
        " FROM r CROSS JOIN app a WHERE a.app_no = r.app_no AND a.usage_state = 2"
    ),
);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    let heads = rows(batch, |changes| {
        changes.bulk_events.last().map(|event| event.bulk_no)
    });
    let revocations = rows(batch, |changes| {
        let revocations = changes.revocations.values();
        let revocations = revocations.chain(changes.erasures.values());
        revocations.map(|it| it.number).max()
    });
    vec![
        UPDATE_SETTINGS.rows(rows(batch, |changes| &changes.settings)),
        UPDATE_BULK_HEAD.rows(heads),
        UPDATE_LAST_REVOCATION.rows(revocations),
        BEGIN_USAGE.rows(rows(batch, |changes| changes.begins_usage)),
        UPDATE_ERASURE.rows(rows(batch, |changes| changes.app_erasure)),
    ]
}

impl<DB: Backend> RowReader<DB> {
    /// Reads the settings; the default ones if null.
    pub fn settings(&mut self) -> Result<Settings, Error> {
        let settings: Option<Settings> = self.column("app", "settings")?;
        Ok(settings.unwrap_or_default())
    }
}
