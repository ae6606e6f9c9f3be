//! Who reads a mailbox comes to one that has begun and holds nothing that is due.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Instant;

use domain::operation::{Open, Settle};
use domain::{Action, AppId, Operation, ProfileId};
use futures::future::join_all;
use storage::{Error, MailStore as _, Reader};

use super::{OPEN_WITHIN, SqlStore};
use crate::backend::Backend;
use crate::connection::View;
use crate::executor::AppKey;
use crate::read::Seen;
use crate::read::items::Sight;

/// How often a mailbox is begun or settled before it is read: once each, unless more is due by
/// then.
const TRIES_MAX: usize = 16;

/// Somebody who reads a mailbox.
pub(super) struct Visit<'a> {
    app: &'a AppId,
    owner: &'a ProfileId,
    reader: Reader,
    sight: Sight,
    /// How often it was not as it should be.
    tries: usize,
}

impl<'a> Visit<'a> {
    pub const fn of(app: &'a AppId, owner: &'a ProfileId, reader: Reader) -> Self {
        Self {
            app,
            owner,
            reader,
            sight: Sight::Apart,
            tries: 0,
        }
    }

    /// The same with all statements in one snapshot.
    pub const fn in_one_snapshot(self) -> Self {
        Self {
            sight: Sight::Snapshot,
            ..self
        }
    }

    /// Whose mailbox it is.
    pub const fn whose(&self) -> (&'a AppId, &'a ProfileId) {
        (self.app, self.owner)
    }

    /// How to read next.
    pub const fn sight(&self) -> Sight {
        self.sight
    }
}

impl<DB: Backend> SqlStore<DB> {
    /// A view of an app, which begins now if it has not begun.
    pub(super) async fn view(&self, app: &AppId, sight: Sight) -> Result<(i64, View<DB>), Error> {
        if let Some(view) = self.view_of_begun(app, sight).await? {
            return Ok(view);
        }
        let now = self.clock.now_ms();
        Box::pin(self.apps.begin(&self.pools.write, app, now)).await?;
        let view = self.view_of_begun(app, sight).await?;
        view.ok_or_else(|| Error::Unavailable("the app has begun elsewhere".into()))
    }

    async fn view_of_begun(
        &self,
        app: &AppId,
        sight: Sight,
    ) -> Result<Option<(i64, View<DB>)>, Error> {
        let mut view = View::of(&self.pools.read, sight).await?;
        if let Some(app_no) = self.apps.number_on(view.connection(), app).await? {
            return Ok(Some((app_no, view)));
        }
        view.end().await?;
        Ok(None)
    }

    /// Whether what a read has found is the answer: if not, it is to be read again. Until then
    /// the mailbox is begun or settled; what has changed between two statements is read in one
    /// snapshot.
    pub(super) async fn see<T>(
        &self,
        visit: &mut Visit<'_>,
        seen: Result<Seen<T>, Error>,
    ) -> Result<ControlFlow<Option<T>>, Error> {
        let seen = match seen {
            Err(Error::Busy(_)) if visit.sight == Sight::Apart => {
                visit.sight = Sight::Snapshot;
                return Ok(Continue(()));
            }
            seen => seen?,
        };
        let owner = visit.owner.clone();
        let action = match seen {
            Seen::There(thing) => return Ok(Break(Some(thing))),
            Seen::Missing if visit.reader == Reader::App => return Ok(Break(None)),
            Seen::Missing => Action::Open(Open { owner }),
            Seen::Due => Action::Settle(Settle::from(owner)),
        };
        visit.tries += 1;
        if visit.tries > TRIES_MAX {
            return Err(Error::Busy("a mailbox never comes to rest".into()));
        }
        let operation = Operation {
            request: None,
            action,
        };
        let deadline = Instant::now() + OPEN_WITHIN;
        self.execute(visit.app, operation, deadline).await?;
        Ok(Continue(()))
    }

    /// Settles mailboxes, as many in one transaction as the lanes put there.
    pub(super) async fn settle_all(
        &self,
        settles: impl IntoIterator<Item = (AppKey, Settle)>,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + OPEN_WITHIN;
        let settle = async |(app, settle)| {
            let operation = Operation {
                request: None,
                action: Action::Settle(settle),
            };
            self.lanes.execute(app, operation, deadline).await
        };
        for settled in join_all(settles.into_iter().map(settle)).await {
            settled??;
        }
        Ok(())
    }
}
