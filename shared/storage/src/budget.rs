//! Time and cost of an operation, and its part in the audit log.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use domain::audit::AuditedCall;

/// Time that an operation has, the account that its work is charged to, and the call that it is for.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Deadline of the operation.
    pub deadline: Instant,
    /// Account of its caller.
    pub account: CostAccount,
    /// Call that is recorded in the audit log, in the transaction of the operation; none: it is not.
    pub audit: Option<Arc<AuditedCall>>,
}

/// Budget of an operation that is charged to nobody, and not audited.
impl From<Instant> for Budget {
    fn from(deadline: Instant) -> Self {
        Self {
            deadline,
            account: CostAccount::default(),
            audit: None,
        }
    }
}

/// Account of a caller. Work is charged when it has been done, also after the caller has gone. The
/// default has no owner.
#[derive(Clone, Default)]
pub struct CostAccount(Option<Arc<dyn Charge>>);

/// Owner of an account.
pub trait Charge: Send + Sync {
    /// Charges the work of a call.
    fn charge(&self, cost: Cost);
}

/// Work of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Entries that were changed.
    Entries(usize),
    /// Rows that were looked at.
    Rows(usize),
    /// Bytes of an answer.
    Bytes(usize),
}

impl CostAccount {
    /// An account with an owner.
    #[must_use]
    pub fn of(owner: Arc<dyn Charge>) -> Self {
        Self(Some(owner))
    }

    /// Charges the work of a call.
    pub fn charge(&self, cost: Cost) {
        if let Some(owner) = &self.0 {
            owner.charge(cost);
        }
    }
}

impl fmt::Debug for CostAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_owner = self.0.is_some();
        formatter
            .debug_struct("CostAccount")
            .field("has_owner", &has_owner)
            .finish()
    }
}
