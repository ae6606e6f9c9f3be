//! Calls in flight and the bytes of their answers, counted by app, profile and connection.
//!
//! A call is in flight from its authorization until the last byte of its answer has been taken; a
//! call with a response stream until the stream begins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AppId, ProfileId};
use telemetry::LimitedQuota;

use crate::limits::{
    ANSWER_BYTES_OF_APP_DIVISOR, ANSWER_BYTES_PER_CONNECTION_MAX, ANSWER_BYTES_PER_PROFILE_MAX,
};

/// Limits of what is in flight on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlightLimits {
    /// Maximum number of calls of a profile.
    pub calls_per_profile: usize,
    /// Maximum number of calls of an app, those of its profiles included.
    pub calls_per_app: usize,
    /// Maximum number of bytes of answers, of all calls. One app may have half of it.
    pub answer_bytes: usize,
}

impl InFlightLimits {
    /// No limits, for listeners within a process.
    pub const NONE: Self = Self {
        calls_per_profile: usize::MAX,
        calls_per_app: usize::MAX,
        answer_bytes: usize::MAX,
    };
}

/// Connection of a call, as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u64);

/// Calls and answers in flight on a listener.
#[derive(Debug)]
pub(crate) struct InFlight {
    limits: InFlightLimits,
    usage: Mutex<AllUsage>,
}

#[derive(Debug, Default)]
struct AllUsage {
    /// Parties with something in flight.
    parties: HashMap<Party, Usage>,
    answer_bytes: usize,
}

/// Holder of calls and answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Party {
    App(AppId),
    Profile(AppId, ProfileId),
    Connection(ConnectionId),
}

#[derive(Debug, Default)]
struct Usage {
    calls: usize,
    answer_bytes: usize,
}

/// A call in flight, until this is dropped.
#[derive(Debug)]
pub(crate) struct CallInFlight {
    all: Arc<InFlight>,
    parties: Vec<Party>,
    answer_bytes: AtomicUsize,
}

/// Refusal of an answer for which there is no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AnswerRefusal {
    /// The caller or its connection has too many bytes in flight.
    Caller,
    /// All callers together have.
    All,
}

impl InFlight {
    pub fn new(limits: InFlightLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            usage: Mutex::default(),
        })
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The quota of the party that has its maximum of calls.
    pub fn begin(
        self: &Arc<Self>,
        app: &AppId,
        profile: Option<&ProfileId>,
        connection: Option<ConnectionId>,
    ) -> Result<CallInFlight, LimitedQuota> {
        let mut parties = Vec::with_capacity(3);
        parties.push(Party::App(app.clone()));
        parties.extend(profile.map(|profile| Party::Profile(app.clone(), profile.clone())));
        parties.extend(connection.map(Party::Connection));

        let mut usage = self.lock();
        for party in &parties {
            let calls = usage.parties.get(party).map_or(0, |used| used.calls);
            if let Some(quota) = self.call_quota(party, calls) {
                return Err(quota);
            }
        }
        for party in &parties {
            usage.parties.entry(party.clone()).or_default().calls += 1;
        }
        drop(usage);
        Ok(CallInFlight {
            all: Arc::clone(self),
            parties,
            answer_bytes: AtomicUsize::new(0),
        })
    }

    /// Returns the quota that a party with so many calls has used up.
    fn call_quota(&self, party: &Party, calls: usize) -> Option<LimitedQuota> {
        let (max, quota) = match party {
            Party::App(_) => (self.limits.calls_per_app, LimitedQuota::AppCallsInFlight),
            Party::Profile(..) => (
                self.limits.calls_per_profile,
                LimitedQuota::ProfileCallsInFlight,
            ),
            // HTTP/2 limits the streams of a connection.
            Party::Connection(_) => return None,
        };
        (calls >= max).then_some(quota)
    }

    /// Maximum number of bytes of a party's answers.
    const fn answer_bytes_max(&self, party: &Party) -> usize {
        match party {
            Party::App(_) => self.limits.answer_bytes / ANSWER_BYTES_OF_APP_DIVISOR,
            Party::Profile(..) => ANSWER_BYTES_PER_PROFILE_MAX,
            Party::Connection(_) => ANSWER_BYTES_PER_CONNECTION_MAX,
        }
    }

    fn lock(&self) -> MutexGuard<'_, AllUsage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallInFlight {
    /// Counts the bytes of the call's answer, until the call ends, if there is room. A party may
    /// always have one answer, whatever its size.
    ///
    /// # Errors
    /// [`AnswerRefusal`] if there is no room.
    pub fn try_answer(&self, bytes: usize) -> Result<(), AnswerRefusal> {
        let mut usage = self.all.lock();
        let has_no_room = |used: usize, max: usize| used > 0 && used.saturating_add(bytes) > max;
        if has_no_room(usage.answer_bytes, self.all.limits.answer_bytes) {
            return Err(AnswerRefusal::All);
        }
        for party in &self.parties {
            let used = usage.parties.get(party).map_or(0, |used| used.answer_bytes);
            if has_no_room(used, self.all.answer_bytes_max(party)) {
                return Err(AnswerRefusal::Caller);
            }
        }
        self.count(&mut usage, bytes);
        Ok(())
    }

    /// Counts the bytes of the call's answer, until the call ends, whether there is room or not.
    pub fn answer(&self, bytes: usize) {
        self.count(&mut self.all.lock(), bytes);
    }

    fn count(&self, usage: &mut AllUsage, bytes: usize) {
        usage.answer_bytes += bytes;
        for party in &self.parties {
            if let Some(used) = usage.parties.get_mut(party) {
                used.answer_bytes += bytes;
            }
        }
        self.answer_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        let bytes = *self.answer_bytes.get_mut();
        let mut usage = self.all.lock();
        usage.answer_bytes -= bytes;
        for party in &self.parties {
            let Some(used) = usage.parties.get_mut(party) else {
                continue;
            };
            used.calls -= 1;
            used.answer_bytes -= bytes;
            if used.calls == 0 {
                usage.parties.remove(party);
            }
        }
    }
}

#[cfg(test)]
mod tests;
