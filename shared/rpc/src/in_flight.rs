//! Calls in flight and the bytes of their answers, counted by app, profile and connection.
//!
//! A call is in flight from its authorization until the last byte of its answer has been taken; a
//! call with a response stream until the stream begins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AppId, ProfileId};
use telemetry::{AnswerMetrics, LimitedQuota};

use crate::limits::{
    ANSWER_BYTES_OF_APP_DIVISOR, ANSWER_BYTES_PER_CONNECTION_MAX, ANSWER_BYTES_PER_PROFILE_MAX,
};

/// Number of callers to remember before those without calls are forgotten.
const CALLERS_MIN: usize = 1024;

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

/// Answers in flight on a connection, as an extension of its requests. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ConnectionAnswers(Arc<AnswerBytes>);

/// Bytes of answers in flight.
#[derive(Debug, Default)]
struct AnswerBytes(AtomicUsize);

/// Calls and answers in flight on a listener.
#[derive(Debug)]
pub(crate) struct InFlight {
    limits: InFlightLimits,
    answers: AnswerBytes,
    metrics: AnswerMetrics,
    callers: Mutex<CallerUsage>,
}

/// Callers with calls in flight, and some without.
#[derive(Debug, Default)]
struct CallerUsage {
    apps: HashMap<AppId, CallingApp>,
    /// Number of apps and profiles.
    count: usize,
    /// Number of apps and profiles beyond which those without calls are forgotten.
    forget_at: usize,
}

#[derive(Debug, Default)]
struct CallingApp {
    usage: Arc<Usage>,
    profiles: HashMap<ProfileId, Arc<Usage>>,
}

/// Calls and answers of an app with its profiles, or of a profile.
#[derive(Debug, Default)]
struct Usage {
    calls: AtomicUsize,
    answers: AnswerBytes,
}

/// A call in flight, until this is dropped.
#[derive(Debug)]
pub(crate) struct CallInFlight {
    all: Arc<InFlight>,
    app: Arc<Usage>,
    profile: Option<Arc<Usage>>,
    connection: Option<ConnectionAnswers>,
    /// Bytes of its answer.
    answer: AtomicUsize,
}

/// Refusal of an answer for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerRefusal {
    /// The caller or its connection has too many bytes in flight.
    Caller,
    /// All callers together have.
    All,
}

impl AnswerRefusal {
    /// The refusal for want of room in one of [`CallInFlight::shares`], by its number.
    const fn of_share(number: usize) -> Self {
        match number {
            0 => Self::All,
            _ => Self::Caller,
        }
    }
}

impl InFlight {
    pub fn new(limits: InFlightLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            answers: AnswerBytes::default(),
            metrics: AnswerMetrics::new(),
            callers: Mutex::default(),
        })
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The quota of the caller that has its maximum of calls.
    pub fn begin(
        self: &Arc<Self>,
        app: &AppId,
        profile: Option<&ProfileId>,
        connection: Option<ConnectionAnswers>,
    ) -> Result<CallInFlight, LimitedQuota> {
        let mut callers = self.lock();
        let (app, profile) = callers.usage_of(app, profile);
        if app.calls() >= self.limits.calls_per_app {
            return Err(LimitedQuota::AppCallsInFlight);
        }
        if let Some(profile) = &profile {
            if profile.calls() >= self.limits.calls_per_profile {
                return Err(LimitedQuota::ProfileCallsInFlight);
            }
            profile.calls.fetch_add(1, Ordering::Relaxed);
        }
        app.calls.fetch_add(1, Ordering::Relaxed);
        drop(callers);
        Ok(CallInFlight {
            all: Arc::clone(self),
            app,
            profile,
            connection,
            answer: AtomicUsize::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, CallerUsage> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallerUsage {
    /// Returns the usage of an app and of one of its profiles.
    fn usage_of(
        &mut self,
        app: &AppId,
        profile: Option<&ProfileId>,
    ) -> (Arc<Usage>, Option<Arc<Usage>>) {
        if self.count > self.forget_at.max(CALLERS_MIN) {
            self.forget_idle();
        }
        if !self.apps.contains_key(app) {
            self.count += 1;
        }
        let app = self.apps.entry(app.clone()).or_default();
        let usage = Arc::clone(&app.usage);
        let Some(profile) = profile else {
            return (usage, None);
        };
        if let Some(of_profile) = app.profiles.get(profile) {
            return (usage, Some(Arc::clone(of_profile)));
        }
        let of_profile = Arc::<Usage>::default();
        app.profiles
            .insert(profile.clone(), Arc::clone(&of_profile));
        self.count += 1;
        (usage, Some(of_profile))
    }

    /// Forgets the callers without calls.
    fn forget_idle(&mut self) {
        self.apps.retain(|_, app| {
            app.profiles.retain(|_, profile| profile.calls() > 0);
            app.usage.calls() > 0
        });
        let counts = self.apps.values().map(|app| 1 + app.profiles.len());
        self.count = counts.sum();
        self.forget_at = 2 * self.count;
    }
}

impl Usage {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl AnswerBytes {
    /// Adds bytes if they are not more than `max` with those that are there, or there are none.
    fn try_add(&self, bytes: usize, max: usize) -> bool {
        let sum = |used: usize| (used == 0 || used + bytes <= max).then_some(used + bytes);
        let added = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        added.is_ok()
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn subtract(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl CallInFlight {
    /// Returns whether an answer is to be made: half of the room that its caller may have is free.
    /// So most of those that would find no room are not made.
    ///
    /// # Errors
    /// [`AnswerRefusal`] if more is in use.
    pub fn may_answer(&self) -> Result<(), AnswerRefusal> {
        let crowded = self
            .shares()
            .position(|(answers, max)| answers.get() > max / 2);
        crowded.map(AnswerRefusal::of_share).map_or(Ok(()), Err)
    }

    /// Counts the bytes of the call's answer, until the call ends, if there is room. An app, a
    /// profile and a connection may always have one answer, whatever its size.
    ///
    /// # Errors
    /// [`AnswerRefusal`] if there is no room.
    pub fn try_answer(&self, bytes: usize) -> Result<(), AnswerRefusal> {
        for (number, (answers, max)) in self.shares().enumerate() {
            if !answers.try_add(bytes, max) {
                let added = self.shares().take(number);
                added.for_each(|(answers, _)| answers.subtract(bytes));
                return Err(AnswerRefusal::of_share(number));
            }
        }
        self.counted(bytes);
        Ok(())
    }

    /// Counts the bytes of the call's answer, until the call ends, whether there is room or not.
    pub fn answer(&self, bytes: usize) {
        self.shares().for_each(|(answers, _)| answers.add(bytes));
        self.counted(bytes);
    }

    fn counted(&self, bytes: usize) {
        self.answer.fetch_add(bytes, Ordering::Relaxed);
        self.all.metrics.begun(bytes);
    }

    /// The answers among which its own is counted, with the maximum of each: those of all callers
    /// first.
    fn shares(&self) -> impl Iterator<Item = (&AnswerBytes, usize)> {
        let all_max = self.all.limits.answer_bytes;
        let profile = self.profile.as_ref();
        let profile = profile.map(|it| (&it.answers, ANSWER_BYTES_PER_PROFILE_MAX));
        let connection = self.connection.as_ref();
        let connection = connection.map(|it| (&*it.0, ANSWER_BYTES_PER_CONNECTION_MAX));
        [
            (&self.all.answers, all_max),
            (&self.app.answers, all_max / ANSWER_BYTES_OF_APP_DIVISOR),
        ]
        .into_iter()
        .chain(profile)
        .chain(connection)
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        let bytes = *self.answer.get_mut();
        self.shares()
            .for_each(|(answers, _)| answers.subtract(bytes));
        self.all.metrics.ended(bytes);
        let callers = [Some(&self.app), self.profile.as_ref()];
        for caller in callers.into_iter().flatten() {
            caller.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
