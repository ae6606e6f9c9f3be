//! Readiness and shutdown of a store.

use async_trait::async_trait;
use domain::operation::Apply;
use domain::{AppId, Operation};

use crate::audit_log::AuditLog;
use crate::budget::Budget;
use crate::error::Error;
use crate::mail_store::MailStore;
use crate::maintenance::Maintenance;

/// Readiness and shutdown of a store.
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// Checks that the store answers reads and accepts writes.
    ///
    /// # Errors
    /// Any error: this replica should get no new calls until the check passes.
    async fn ready(&self) -> Result<(), Error>;

    /// Closes all connections once running writes have finished. Later calls fail with
    /// [`Error::Unavailable`].
    async fn close(&self);
}

/// A store with all of its ports, as it is opened.
pub trait Store: MailStore + Maintenance + AuditLog + Lifecycle {}

impl dyn Store + '_ {
    /// Executes an operation, and returns the outcome of its action.
    ///
    /// # Errors
    /// As [`MailStore::execute_action`].
    pub async fn execute<A: Apply>(
        &self,
        app: &AppId,
        operation: Operation<A>,
        budget: impl Into<Budget>,
    ) -> Result<A::Outcome, Error> {
        let store: &dyn MailStore = self;
        store.execute(app, operation, budget).await
    }
}

impl<S: MailStore + Maintenance + AuditLog + Lifecycle> Store for S {}
