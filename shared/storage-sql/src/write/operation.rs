//! An operation of a batch, and its result.

use domain::{Operation, Outcome, Refusal};

use crate::table::app::AppKey;

/// An operation of an app in a batch.
#[derive(Debug, Clone)]
pub struct BatchedOperation {
    /// The app.
    pub app: AppKey,
    /// The operation.
    pub operation: Operation,
}

/// The result of an operation: its outcome, or why it was refused.
pub type Verdict = Result<Outcome, Refusal>;
