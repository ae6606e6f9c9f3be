//! Permits to hold a connection, shared out in turns.
//!
//! A user has one connection, the app itself has few, and all of an app have a part of the pool: slow statements of some leave connections to the others. Those who wait are
//! served round robin, by app and in an app by user.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AppId, ProfileId};
use tokio::sync::oneshot;

use crate::turns::Turns;

/// Holder of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    app: Option<AppId>,
    user: Option<ProfileId>,
}

impl Holder {
    /// The service itself, for its background work and for writes. It has no limit of its own,
    /// and one turn among the apps.
    pub const SERVICE: Self = Self {
        app: None,
        user: None,
    };

    /// An app that acts for itself.
    pub fn app(app: &AppId) -> Self {
        Self {
            app: Some(app.clone()),
            user: None,
        }
    }

    /// A user of an app.
    pub fn user(app: &AppId, user: &ProfileId) -> Self {
        Self {
            app: Some(app.clone()),
            user: Some(user.clone()),
        }
    }
}

/// Maximum numbers of permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PermitLimits {
    /// Permits of an app that acts for itself. A user has one: the next read of theirs would
    /// compete with it for the same processors.
    app_itself: usize,
    /// Permits of an app and its users together.
    app: usize,
}

impl PermitLimits {
    /// Limits in a pool of so many connections.
    fn of(permits: usize) -> Self {
        Self {
            app_itself: if permits < 4 { 1 } else { 2 },
            app: (permits * 3 / 4).max(1),
        }
    }

    /// No limits.
    const NONE: Self = Self {
        app_itself: usize::MAX,
        app: usize::MAX,
    };

    /// Permits of a user, or of the app itself.
    const fn of_holder(self, user: Option<&ProfileId>) -> usize {
        match user {
            Some(_) => 1,
            None => self.app_itself,
        }
    }

    /// Limits for the holders under a key of apps.
    const fn of_app(self, app: Option<&AppId>) -> Self {
        match app {
            Some(_) => self,
            None => Self::NONE,
        }
    }
}

/// The permits of a pool.
pub struct Permits {
    limits: PermitLimits,
    state: Mutex<PermitState>,
}

struct PermitState {
    free: usize,
    /// The apps with permits or waiting for some.
    apps: Turns<Option<AppId>, AppShare>,
}

#[derive(Default)]
struct AppShare {
    held: usize,
    /// The users with permits or waiting for some.
    users: Turns<Option<ProfileId>, UserShare>,
}

#[derive(Default)]
struct UserShare {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// A permit; dropping it gives it to the next who waits.
pub struct Permit {
    permits: Arc<Permits>,
    holder: Holder,
}

impl Permits {
    /// So many permits.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            limits: PermitLimits::of(count),
            state: Mutex::new(PermitState {
                free: count,
                apps: Turns::default(),
            }),
        })
    }

    /// Number of permits that nobody holds.
    pub fn free(&self) -> usize {
        self.lock().free
    }

    /// Waits for a permit.
    pub async fn acquire(self: &Arc<Self>, holder: Holder) -> Permit {
        let receiver = {
            let mut state = self.lock();
            if state.may_take(&holder, self.limits) {
                state.take(&holder);
                drop(state);
                return self.permit(holder);
            }
            state.wait(&holder)
        };
        let mut waiter = PermitWaiter {
            permits: self,
            holder,
            receiver,
        };
        match (&mut waiter.receiver).await {
            Ok(permit) => permit,
            // No sender is dropped while its waiter waits.
            Err(_) => std::future::pending().await,
        }
    }

    fn permit(self: &Arc<Self>, holder: Holder) -> Permit {
        Permit {
            permits: Arc::clone(self),
            holder,
        }
    }

    /// Hands free permits out to those who wait.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let next = self.lock().next(self.limits);
            let Some((holder, waiting)) = next else {
                return;
            };
            // Of a waiter that has just gone, the permit comes back.
            drop(waiting.send(self.permit(holder)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, PermitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.lock().release(&self.holder);
        self.permits.hand_out();
    }
}

/// A caller that waits for a permit.
struct PermitWaiter<'a> {
    permits: &'a Permits,
    holder: Holder,
    receiver: oneshot::Receiver<Permit>,
}

impl Drop for PermitWaiter<'_> {
    fn drop(&mut self) {
        self.receiver.close();
        self.permits.lock().forget_gone(&self.holder);
    }
}

impl PermitState {
    fn may_take(&self, holder: &Holder, limits: PermitLimits) -> bool {
        let limits = limits.of_app(holder.app.as_ref());
        let app = self.apps.get(&holder.app);
        let user = app.and_then(|app| app.users.get(&holder.user));
        let of_user = limits.of_holder(holder.user.as_ref());
        self.free > 0
            && app.is_none_or(|app| app.held < limits.app)
            && user.is_none_or(|user| user.held < of_user && user.waiting.is_empty())
    }

    fn take(&mut self, holder: &Holder) {
        self.free -= 1;
        let app = self.apps.get_or_default(&holder.app);
        app.held += 1;
        app.users.get_or_default(&holder.user).held += 1;
        app.users.end_turn(&holder.user);
        self.apps.end_turn(&holder.app);
    }

    fn wait(&mut self, holder: &Holder) -> oneshot::Receiver<Permit> {
        let (sender, receiver) = oneshot::channel();
        let app = self.apps.get_or_default(&holder.app);
        let user = app.users.get_or_default(&holder.user);
        user.waiting.push_back(sender);
        receiver
    }

    /// Takes a permit for the next who waits and may have one.
    fn next(&mut self, limits: PermitLimits) -> Option<(Holder, oneshot::Sender<Permit>)> {
        if self.free == 0 {
            return None;
        }
        let holder = self.next_holder(limits)?;
        let app = self.apps.get_mut(&holder.app)?;
        let waiting = app.users.get_mut(&holder.user)?.waiting.pop_front()?;
        self.take(&holder);
        Some((holder, waiting))
    }

    fn next_holder(&self, limits: PermitLimits) -> Option<Holder> {
        self.apps.iter().find_map(|(app, share)| {
            let limits = limits.of_app(app.as_ref());
            if share.held >= limits.app {
                return None;
            }
            let next = share.users.iter().find(|(user, share)| {
                share.held < limits.of_holder(user.as_ref()) && !share.waiting.is_empty()
            });
            next.map(|(user, _)| Holder {
                app: app.clone(),
                user: user.clone(),
            })
        })
    }

    fn release(&mut self, holder: &Holder) {
        self.free += 1;
        if let Some(app) = self.apps.get_mut(&holder.app) {
            app.held -= 1;
        }
        self.change_user(holder, |user| user.held -= 1);
    }

    /// Drops the places of callers who wait no longer.
    fn forget_gone(&mut self, holder: &Holder) {
        self.change_user(holder, |user| user.waiting.retain(|it| !it.is_closed()));
    }

    /// Changes the share of a user, and forgets shares that are empty.
    fn change_user(&mut self, holder: &Holder, change: impl FnOnce(&mut UserShare)) {
        let Some(app) = self.apps.get_mut(&holder.app) else {
            return;
        };
        if let Some(user) = app.users.get_mut(&holder.user) {
            change(user);
            if user.held == 0 && user.waiting.is_empty() {
                app.users.remove(&holder.user);
            }
        }
        if app.users.current().is_none() {
            self.apps.remove(&holder.app);
        }
    }
}

#[cfg(test)]
mod tests;
