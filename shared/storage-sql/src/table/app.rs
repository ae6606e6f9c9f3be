//! Table `app`.

use domain::AppId;

/// An app, and the number that it had when last looked up.
#[derive(Debug, Clone)]
pub struct AppKey {
    /// Its number, the key of its rows in all tables. Another one after a restore.
    pub app_no: i64,
    /// Its id, as callers name it.
    pub app_id: AppId,
}
