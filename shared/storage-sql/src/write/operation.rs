//! An operation of a batch, and its result.

use domain::{MessageId, Operation, Outcome, Refusal};

use crate::table::app::AppKey;

/// An operation of an app in a batch.
#[derive(Debug, Clone)]
pub struct BatchedOperation {
    /// The app.
    pub app: AppKey,
    /// The operation.
    pub operation: Operation,
    /// The id for the message that the operation creates; nil if it creates none.
    pub message_id: MessageId,
}

/// The result of an operation: its outcome, or why it was refused.
pub type Verdict = Result<Outcome, Refusal>;
