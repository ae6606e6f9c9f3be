//! [`Lifecycle`] of the store.

use std::sync::PoisonError;

use async_trait::async_trait;
use storage::{Error, Lifecycle};

use super::SqlStore;
use crate::db::backend::Backend;

#[async_trait]
impl<DB: Backend> Lifecycle for SqlStore<DB> {
    async fn ready(&self) -> Result<(), Error> {
        self.answers().await
    }

    async fn close(&self) {
        self.send_jobs.drain().await;
        self.audit_chains.drain().await;
        self.erasures.drain().await;
        self.app_erasures.drain().await;
        self.usage_counts.drain().await;
        self.lanes.close().await;
        self.broadcast.close();
        drop(
            self.clock_check
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.pools.close().await;
    }
}
