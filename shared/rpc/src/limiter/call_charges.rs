//! Charges for the work of a call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use domain::number::saturating;
use storage::{Charge, Cost};

use super::app_quotas::LimitedApp;
use super::gcra::{Bucket, TOKEN};
use super::profile_buckets::SharedBuckets;
use crate::limits::{BYTES_PER_TOKEN, ENTRIES_PER_TOKEN, ROWS_PER_TOKEN};

/// Charges the work of a call to its caller's buckets: what goes beyond the token that the call has
/// taken. A bucket may owe tokens then; the next calls wait for them.
pub(super) struct CallCharges {
    /// Caller.
    calls_of: CallsOf,
    /// App whose sends the call counts for.
    sends_of: Option<Arc<LimitedApp>>,
    /// Millitokens that are left of the call's own.
    prepaid: AtomicU64,
}

/// Caller whose bucket of calls is charged.
pub(super) enum CallsOf {
    /// A profile.
    Profile(SharedBuckets),
    /// The app itself.
    App(Arc<LimitedApp>),
}

impl CallCharges {
    pub const fn new(calls_of: CallsOf, sends_of: Option<Arc<LimitedApp>>) -> Self {
        Self {
            calls_of,
            sends_of,
            prepaid: AtomicU64::new(TOKEN),
        }
    }

    /// Takes from what is prepaid, and returns the rest.
    fn beyond_prepaid(&self, millitokens: u64) -> u64 {
        let mut rest = millitokens;
        let _ = self
            .prepaid
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |prepaid| {
                rest = millitokens.saturating_sub(prepaid);
                Some(prepaid.saturating_sub(millitokens))
            });
        rest
    }
}

impl Charge for CallCharges {
    fn charge(&self, cost: Cost) {
        let millitokens = self.beyond_prepaid(millitokens(cost));
        if millitokens == 0 {
            return;
        }
        // A send is counted by its entries; rows and bytes are those of any call.
        let sends_of = self
            .sends_of
            .as_ref()
            .filter(|_| matches!(cost, Cost::Entries(_)));
        let owe = |bucket: &mut Bucket| bucket.owe(millitokens);
        // Lock order: the buckets of calls, then the app's of sends.
        match &self.calls_of {
            CallsOf::Profile(profile) => {
                let mut profile = profile.lock().unwrap_or_else(PoisonError::into_inner);
                owe(&mut profile.calls);
                if sends_of.is_some() {
                    owe(&mut profile.sends);
                }
            }
            CallsOf::App(app) => {
                owe(&mut app.calls.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
        if let Some(app) = sends_of {
            owe(&mut app.sends.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Price of work, in thousandths of a token.
fn millitokens(cost: Cost) -> u64 {
    let (units, per_token) = match cost {
        Cost::Entries(entries) => (entries, ENTRIES_PER_TOKEN),
        Cost::Rows(rows) => (rows, ROWS_PER_TOKEN),
        Cost::Bytes(bytes) => (bytes, BYTES_PER_TOKEN),
    };
    saturating::<u64, _>(units).saturating_mul(TOKEN) / per_token
}
