//! [`AuditLog`] of the store.

use async_trait::async_trait;
use domain::audit::{AuditKey, AuditKeyId};
use domain::{AppId, ProfileId};
use storage::{AuditFilter, AuditLog, AuditPage, AuditPart, AuditPlace, AuditPosition, Error};
use uuid::Uuid;

use super::SqlStore;
use crate::audit::{self, page, verification};
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::db::isolation::Isolation;
use crate::table::app::AppKey;

#[async_trait]
impl<DB: Backend> AuditLog for SqlStore<DB> {
    async fn audit_page(
        &self,
        app: &AppId,
        filter: &AuditFilter,
        after: Option<AuditPosition>,
        rows: u32,
    ) -> Result<AuditPage, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Snapshot).await?;
        let page = page::read(view.connection(), app_no, filter, after, rows).await;
        view.end_with(page).await
    }

    async fn audited_apps(&self, after: Option<AppId>) -> Result<Vec<AppId>, Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        verification::apps(&mut connection, after).await
    }

    async fn audit_head_keys(&self) -> Result<Vec<AuditKeyId>, Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        verification::head_keys(&mut connection).await
    }

    async fn verify_audit(
        &self,
        app: &AppId,
        keys: &[AuditKey],
        after: Option<AuditPlace>,
    ) -> Result<AuditPart, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Snapshot).await?;
        let app = AppKey {
            app_no,
            app_id: app.clone(),
        };
        let part = verification::read(view.connection(), &app, keys, after).await;
        view.end_with(part).await
    }

    async fn erase_audit_ids(
        &self,
        app: &AppId,
        profile: &ProfileId,
        after: Option<Uuid>,
    ) -> Result<Option<Uuid>, Error> {
        let app_no = self.app(app).await?.app_no;
        let (pool, profile) = (self.pools.write.clone(), profile.clone());
        // In a task of its own: what has begun runs to its end, whoever stops waiting.
        let work = tokio::spawn(async move { audit::erase(&pool, app_no, &profile, after).await });
        work.await.map_err(|error| Error::Internal(error.into()))?
    }
}
