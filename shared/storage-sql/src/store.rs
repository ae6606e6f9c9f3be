//! The store: both databases, one text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::operation::Open;
use domain::page::Scan;
use domain::{
    Action, AppId, Message, MessageId, Msgbox, Operation, Outcome, Policy, ProfileId, Settings,
};
use storage::{
    Audit, Clock, Counted, Error, Feed, FeedPart, Head, Item, Items, MailStore, MailboxKey,
    MailboxPage, MessageIds, Position, Reader, RepositoryPage, Since, Wake,
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::apps::Apps;
use crate::backend::{Backend, Pools};
use crate::carrier::Carrier;
use crate::connection::{Connection, Transaction, View};
use crate::contents::Contents;
use crate::epoch::{self, Epoch};
use crate::executor::{self, AppKey, Job, Verdict};
use crate::lane::{Lanes, Workshop};
use crate::options::Options;
use crate::read::items::{Messages, Sight};
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;
use crate::{audit, read, retry, trim};

/// How long a call that is none of its own may take, such as to begin a mailbox that is read.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// How long it may take until it is our turn to write, where only one can at a time; then
/// somebody else writes, perhaps another process.
const TURN_MAX: Duration = Duration::from_secs(1);

static PING: Statement = Statement::new(0, "UPDATE server SET epoch = epoch WHERE server_no = 1");

/// A store on a database.
pub struct SqlStore<DB: Backend> {
    pools: Pools<DB>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn MessageIds>,
    apps: Apps,
    contents: Contents,
    lanes: Lanes,
    epoch: Epoch,
    carrier: Arc<Carrier>,
}

impl<DB: Backend> SqlStore<DB> {
    pub(crate) async fn new(pools: Pools<DB>, options: &Options) -> Result<Self, Error> {
        let epoch = Epoch::new(epoch::current(&pools).await?);
        let here = Arc::clone(&options.wake);
        let carrier = Carrier::start(here, &pools.write, options.notify_url());
        let carrier = Arc::new(carrier);
        let workshop = Workshop {
            pool: pools.write.clone(),
            policy: options.policy.clone(),
            clock: Arc::clone(&options.clock),
            ids: Arc::clone(&options.ids),
            wake: carrier.clone(),
            batch_operations_max: options.lanes.batch_operations_max.max(1),
        };
        // One connection is left for what is no batch: to ask what became of one.
        let connections = usize::try_from(options.write_connections).unwrap_or(usize::MAX);
        let lanes = options.lanes.count.min(connections.saturating_sub(1));
        let lanes = lanes.clamp(1, DB::WRITERS_MAX);
        Ok(Self {
            lanes: Lanes::start(workshop, lanes),
            pools,
            policy: options.policy.clone(),
            clock: Arc::clone(&options.clock),
            ids: Arc::clone(&options.ids),
            apps: Apps::new(),
            contents: Contents::new(options.content_cache_bytes),
            epoch,
            carrier,
        })
    }

    /// Carries out operations of many users in one transaction. The verdicts are in the
    /// order of the operations; one that is refused does not touch the others.
    ///
    /// # Errors
    /// As [`MailStore::execute`], but for [`Error::Refused`].
    pub async fn execute_batch(
        &self,
        operations: Vec<(AppId, Operation)>,
        deadline: Instant,
    ) -> Result<Vec<Verdict>, Error> {
        let now = self.clock.now_ms();
        let mut jobs = Vec::with_capacity(operations.len());
        for (app, operation) in operations {
            jobs.push(Job {
                app: self.app(&app).await?,
                operation,
                message_id: self.ids.next(now),
            });
        }
        let (pool, policy) = (self.pools.write.clone(), self.policy.clone());
        let wake = Arc::clone(&self.carrier);
        // In a task of its own: what has begun runs to its end, whoever stops waiting.
        let work = tokio::spawn(async move {
            retry::busy(deadline, || {
                executor::run(&pool, &policy, now, &jobs, &*wake)
            })
            .await
        });
        work.await.map_err(|error| Error::Internal(error.into()))?
    }

    /// A view of an app, which begins now if it has not begun.
    async fn view(&self, app: &AppId, sight: Sight) -> Result<(i64, View<DB>), Error> {
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

    async fn app(&self, app: &AppId) -> Result<AppKey, Error> {
        let now = self.clock.now_ms();
        Ok(AppKey {
            app_no: self.apps.number(&self.pools.write, app, now).await?,
            app_id: app.clone(),
        })
    }

    const fn messages_of(&self, app_no: i64, sight: Sight) -> Messages<'_> {
        Messages {
            contents: &self.contents,
            app_no,
            sight,
        }
    }

    fn at(&self, seq: i64) -> Position {
        Position {
            epoch: self.epoch.get(),
            seq,
        }
    }

    /// Takes note of the epoch. In a new one, what was remembered may be somebody else's, and
    /// all who follow a mailbox have to look.
    fn live_in(&self, epoch: Uuid) {
        if self.epoch.set(epoch) {
            self.apps.forget_all();
            self.contents.forget_all();
            self.carrier.replaced();
        }
    }

    /// Begins a mailbox, if its own owner came to see it.
    async fn begin(&self, app: &AppId, owner: &ProfileId, reader: Reader) -> Result<bool, Error> {
        if reader == Reader::App {
            return Ok(false);
        }
        let action = Action::Open(Open {
            owner: owner.clone(),
        });
        let operation = Operation {
            request: None,
            action,
        };
        self.execute(app, operation, Instant::now() + OPEN_WITHIN)
            .await?;
        Ok(true)
    }

    async fn page_as_it_is(
        &self,
        app: &AppId,
        owner: &ProfileId,
        scan: &Scan,
    ) -> Result<Option<MailboxPage>, Error> {
        let read = async |sight| {
            let (app_no, mut view) = self.view(app, sight).await?;
            let messages = self.messages_of(app_no, sight);
            let page = read::mailbox_page::read(
                view.connection(),
                self.epoch.get(),
                messages,
                owner,
                scan,
            );
            let page = page.await?;
            view.end().await?;
            Ok(page)
        };
        if scan.count && !scan.criteria.is_box_only() {
            // The rows and their number, of one snapshot.
            return read(Sight::Snapshot).await;
        }
        match read(Sight::Apart).await {
            Err(Error::Busy(_)) => read(Sight::Snapshot).await,
            page => page,
        }
    }
}

/// Writes, and takes it back.
async fn ping<DB: Backend>(pool: Warm<DB>) -> Result<(), Error> {
    let mut transaction = Transaction::begin(&pool).await?;
    transaction.connection().execute(Call::of(&PING)).await?;
    transaction.rollback().await
}

#[async_trait]
impl<DB: Backend> MailStore for SqlStore<DB> {
    async fn execute(
        &self,
        app: &AppId,
        operation: Operation,
        deadline: Instant,
    ) -> Result<Outcome, Error> {
        if Instant::now() >= deadline {
            return Err(Error::Deadline);
        }
        let key = self.app(app).await?;
        let done = self.lanes.execute(key, operation, deadline).await;
        if let Err(Error::Unavailable(_)) = done {
            // When it is back, it may be another database.
            self.apps.forget(app);
        }
        Ok(done??)
    }

    async fn counts(
        &self,
        app: &AppId,
        owner: &ProfileId,
        reader: Reader,
    ) -> Result<Counted, Error> {
        let (app_no, mut view) = self.view(app, Sight::Apart).await?;
        let found = read::counts::read(view.connection(), self.epoch.get(), app_no, owner).await?;
        view.end().await?;
        match found {
            Some(counted) => Ok(counted),
            None if self.begin(app, owner, reader).await? => {
                self.counts(app, owner, Reader::App).await
            }
            None => Ok(Counted {
                counts: domain::mailbox::Counts::default(),
                position: self.at(0),
            }),
        }
    }

    async fn entries(
        &self,
        app: &AppId,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Items<Item>, Error> {
        let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
        let read = async |sight| {
            let (app_no, mut view) = self.view(app, sight).await?;
            let (connection, messages) = (view.connection(), self.messages_of(app_no, sight));
            let items =
                read::entries::read(connection, messages, owner, msgbox, message_ids, bytes_max);
            let items = items.await?;
            view.end().await?;
            Ok(items)
        };
        let items = match read(Sight::Apart).await {
            Err(Error::Busy(_)) => read(Sight::Snapshot).await?,
            items => items?,
        };
        if items.found.is_empty() {
            // Perhaps it has not begun: to ask is to come for the first time.
            self.counts(app, owner, Reader::Owner).await?;
        }
        Ok(items)
    }

    async fn page(
        &self,
        app: &AppId,
        owner: &ProfileId,
        reader: Reader,
        scan: &Scan,
    ) -> Result<MailboxPage, Error> {
        match self.page_as_it_is(app, owner, scan).await? {
            Some(page) => Ok(page),
            None if self.begin(app, owner, reader).await? => {
                self.page(app, owner, Reader::App, scan).await
            }
            None => Ok(MailboxPage {
                found: read::empty(scan),
                position: self.at(0),
            }),
        }
    }

    async fn changes(
        &self,
        app: &AppId,
        owner: &ProfileId,
        since: Since,
        part: FeedPart,
    ) -> Result<Feed, Error> {
        loop {
            let (app_no, mut view) = self.view(app, Sight::Apart).await?;
            let read = read::changes::read(view.connection(), app_no, owner, since, part).await?;
            view.end().await?;
            if let Some((feed, epoch)) = read {
                self.live_in(epoch);
                return Ok(feed);
            }
            self.begin(app, owner, Reader::Owner).await?;
        }
    }

    async fn heads(&self, mailboxes: &[MailboxKey]) -> Result<Vec<Head>, Error> {
        self.live_in(epoch::current(&self.pools).await?);
        if mailboxes.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = Connection::of(&self.pools.read).await?;
        read::heads::read(&mut connection, mailboxes).await
    }

    async fn trim(&self, after: Option<MailboxKey>) -> Result<Option<MailboxKey>, Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        let part = trim::part(&mut connection, self.clock.now_ms(), after).await?;
        drop(connection);
        trim::carry_out(&self.lanes, part.operations).await?;
        Ok(part.next)
    }

    async fn new_epoch(&self) -> Result<(), Error> {
        self.live_in(epoch::begin(&self.pools).await?);
        Ok(())
    }

    async fn messages(
        &self,
        app: &AppId,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Items<Message>, Error> {
        let (app_no, mut view) = self.view(app, Sight::Apart).await?;
        let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
        read::messages::read(view.connection(), app_no, message_ids, bytes_max).await
    }

    async fn repository_page(&self, app: &AppId, scan: &Scan) -> Result<RepositoryPage, Error> {
        let (app_no, mut view) = self.view(app, Sight::Snapshot).await?;
        let page = read::repository_page::read(view.connection(), app_no, scan).await?;
        view.end().await?;
        Ok(page)
    }

    async fn settings(&self, app: &AppId) -> Result<Settings, Error> {
        let (app_no, mut view) = self.view(app, Sight::Apart).await?;
        read::settings::read(view.connection(), app_no).await
    }

    fn policy(&self, settings: &Settings) -> Policy {
        settings.over(&self.policy)
    }

    async fn audit(&self, after: Option<(i64, i64)>, repair: bool) -> Result<Audit, Error> {
        audit::run(&self.pools, after, repair).await
    }

    async fn ready(&self) -> Result<(), Error> {
        if !self.pools.write.is_busy() {
            // In a task of its own: it keeps its connection if nobody waits for it any more.
            let ping = tokio::spawn(ping(self.pools.write.clone()));
            let pinged = match DB::WRITERS_MAX {
                1 => timeout(TURN_MAX, ping).await.ok(),
                _ => Some(ping.await),
            };
            if let Some(pinged) = pinged {
                return pinged.map_err(|error| Error::Internal(error.into()))?;
            }
        }
        // Somebody writes: to wait behind that would tell nothing more.
        epoch::current(&self.pools).await.map(drop)
    }

    async fn close(&self) {
        self.lanes.close().await;
        self.carrier.close();
        self.pools.close().await;
    }
}
