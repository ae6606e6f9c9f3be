//! Reads of a mailbox that exists and has nothing due: read, settle if due, read again.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Instant;

use domain::operation::{CreateMailbox, SettleMailbox};
use domain::{Action, AppId, Operation, ProfileId};
use futures::future::join_all;
use storage::{Contention, Error, MailStore as _, Requester};

use super::SqlStore;
use crate::db::backend::Backend;
use crate::db::connection::ReadView;
use crate::db::isolation::Isolation;
use crate::db::pool::Holder;
use crate::read::ReadOutcome;
use crate::table::app::AppKey;

/// Maximum number of times a mailbox is created or settled during one read. Once each is
/// usual; more only if something falls due meanwhile.
const SETTLES_MAX: usize = 16;

/// The state of a read of a mailbox over its attempts.
pub(super) struct SettledRead<'a> {
    app: &'a AppId,
    owner: &'a ProfileId,
    requester: Requester,
    isolation: Isolation,
    /// Number of times that the mailbox was created or settled so far.
    settles: usize,
}

impl<'a> SettledRead<'a> {
    pub const fn of(app: &'a AppId, owner: &'a ProfileId, requester: Requester) -> Self {
        Self {
            app,
            owner,
            requester,
            isolation: Isolation::Statement,
            settles: 0,
        }
    }

    /// The same read with all statements in one snapshot.
    pub const fn in_snapshot(self) -> Self {
        Self {
            isolation: Isolation::Snapshot,
            ..self
        }
    }

    /// The app and the owner of the mailbox.
    pub const fn mailbox(&self) -> (&'a AppId, &'a ProfileId) {
        (self.app, self.owner)
    }

    /// The isolation of the next attempt.
    pub const fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The holder of its connection.
    fn holder(&self) -> Holder {
        match self.requester {
            Requester::Owner => Holder::user(self.app, self.owner),
            Requester::App => Holder::app(self.app),
        }
    }
}

impl<DB: Backend> SqlStore<DB> {
    /// Begins an attempt at a read of a mailbox.
    pub(super) async fn view(&self, read: &SettledRead<'_>) -> Result<(i64, ReadView<DB>), Error> {
        self.view_by(read.app, read.holder(), read.isolation).await
    }

    /// Begins a read that an app requests for itself.
    pub(super) async fn app_view(
        &self,
        app: &AppId,
        isolation: Isolation,
    ) -> Result<(i64, ReadView<DB>), Error> {
        self.view_by(app, Holder::app(app), isolation).await
    }

    /// Begins a read of an app, which is created if need be.
    async fn view_by(
        &self,
        app: &AppId,
        holder: Holder,
        isolation: Isolation,
    ) -> Result<(i64, ReadView<DB>), Error> {
        let existing = self
            .view_of_existing(app, holder.clone(), isolation)
            .await?;
        if let Some(view) = existing {
            return Ok(view);
        }
        let now = self.clock.now()?.ms;
        Box::pin(self.apps.create(&self.pools.write, app, now)).await?;
        let view = self.view_of_existing(app, holder, isolation).await?;
        view.ok_or_else(|| Error::Unavailable("the app was created in another database".into()))
    }

    async fn view_of_existing(
        &self,
        app: &AppId,
        holder: Holder,
        isolation: Isolation,
    ) -> Result<Option<(i64, ReadView<DB>)>, Error> {
        let mut view = ReadView::of(&self.pools.read, holder, isolation).await?;
        if let Some(app_no) = self.apps.number_on(view.connection(), app).await? {
            return Ok(Some((app_no, view)));
        }
        view.end().await?;
        Ok(None)
    }

    /// Decides what follows an attempt. Breaks with its result, or with none for an app that
    /// reads a missing mailbox; else creates or settles the mailbox, or turns to a snapshot if
    /// something changed between two statements, and continues with another attempt.
    ///
    /// # Errors
    /// [`Error::Busy`] after [`SETTLES_MAX`] attempts; those of the read and of the write.
    pub(super) async fn settle_if_due<T>(
        &self,
        read: &mut SettledRead<'_>,
        outcome: Result<ReadOutcome<T>, Error>,
    ) -> Result<ControlFlow<Option<T>>, Error> {
        let outcome = match outcome {
            Err(Error::Busy(_)) if read.isolation == Isolation::Statement => {
                read.isolation = Isolation::Snapshot;
                return Ok(Continue(()));
            }
            outcome => outcome?,
        };
        let owner = read.owner.clone();
        let action = match outcome {
            ReadOutcome::Ready(result) => return Ok(Break(Some(result))),
            ReadOutcome::Missing if read.requester == Requester::App => return Ok(Break(None)),
            ReadOutcome::Unused(result) if read.requester == Requester::App => {
                return Ok(Break(Some(result)));
            }
            ReadOutcome::Missing | ReadOutcome::Unused(_) => {
                Action::CreateMailbox(CreateMailbox { owner })
            }
            ReadOutcome::Due => Action::SettleMailbox(SettleMailbox::from(owner)),
        };
        read.settles += 1;
        if read.settles > SETTLES_MAX {
            return Err(Error::Busy(Contention::StillDue {
                attempts: SETTLES_MAX,
            }));
        }
        let operation = Operation {
            request: None,
            action,
        };
        let deadline = Instant::now() + self.settle_timeout;
        self.execute_action(read.app, operation, deadline.into())
            .await?;
        Ok(Continue(()))
    }

    /// Settles mailboxes through the lanes, which batch them.
    pub(super) async fn settle_all(
        &self,
        settles: impl IntoIterator<Item = (AppKey, SettleMailbox)>,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + self.settle_timeout;
        let settle = async |(app, settle)| {
            let operation = Operation {
                request: None,
                action: Action::SettleMailbox(settle),
            };
            self.lanes.execute(app, operation, deadline.into()).await
        };
        for settled in join_all(settles.into_iter().map(settle)).await {
            settled??;
        }
        Ok(())
    }
}
