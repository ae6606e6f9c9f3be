//! An operation of a batch, and its result.

use std::sync::Arc;

use domain::audit::AuditedCall;
use domain::ledger::HeldRow;
use domain::{Action, Operation, Outcome, Refusal};
use storage::CostAccount;

use crate::table::app::AppKey;

/// An operation of an app in a batch.
#[derive(Debug, Clone)]
pub struct BatchedOperation {
    /// The app.
    pub app: AppKey,
    /// The operation.
    pub operation: Operation,
    /// Account that its work is charged to.
    pub account: CostAccount,
    /// Call that it is recorded for; none: it is not audited.
    pub audit: Option<Arc<AuditedCall>>,
}

/// The result of an operation: its outcome, or why it was refused.
pub type Verdict = Result<Outcome, Refusal>;

/// Progress of an operation after a transaction.
#[derive(Debug, Clone)]
pub enum OperationProgress {
    /// The operation is done or refused.
    Done(Verdict),
    /// A part is done, or a mailbox had too much due to be settled at once: this is to be run in
    /// another transaction.
    Continues(Action),
    /// Nothing is done: another transaction has locked this row.
    Held(HeldRow),
}
