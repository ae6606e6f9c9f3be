//! The store: each method of the ports, on both databases.

mod app_numbers;
mod audit_log;
mod counts_loader;
mod lifecycle;
mod maintenance;
pub mod readiness;
mod settled_read;

use std::ops::ControlFlow::Break;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::conversation::Participation;
use domain::number::saturating;
use domain::page::Scan;
use domain::segment::JobReport;
use domain::{
    Action, AppId, Block, Conversation, ConversationId, Message, MessageId, Millis, Msgbox,
    Operation, Outcome, Policy, ProfileId, Settings,
};
use storage::{
    AppState, Budget, BulkReport, ChangeListener, Clock, CostAccount, ErasureReport, Error,
    FeedLimits, FeedOffset, FeedPage, FeedStart, Item, Lookup, MailStore, MailboxCounts,
    MailboxPage, RecipientUpload, RepositoryPage, Requester,
};
use telemetry::{LaneMetrics, SettleMetrics};
use uuid::Uuid;

use crate::broadcast::Broadcast;
use crate::clock::ClockCheck;
use crate::db::backend::{Backend, Pools};
use crate::db::epoch::{self, Epoch};
use crate::db::isolation::Isolation;
use crate::jobs::app_erasures::AppErasures;
use crate::jobs::audit_chains::AuditChains;
use crate::jobs::erasures::Erasures;
use crate::jobs::runner::JobRunner;
use crate::jobs::send_jobs::SendJobs;
use crate::jobs::usage_counts::UsageCounts;
use crate::message_cache::MessageCache;
use crate::options::{Options, StoreClock};
use crate::read;
use crate::read::items::Messages;
use crate::read::messages::DeletedSegments;
use crate::segment::recipient_sort::RecipientSort;
use crate::segment::upload_slots::UploadSlots;
use crate::table::app::AppKey;
use crate::upkeep::orphans::OrphanSearch;
use crate::upkeep::sweep::Lease;
use crate::write::executor::Executor;
use crate::write::lanes::{BatchRunner, Lanes};
use crate::write::operation::{BatchedOperation, Verdict};
use app_numbers::AppNumbers;
use counts_loader::CountsLoader;
use settled_read::SettledRead;

/// A store on a database.
pub struct SqlStore<DB: Backend> {
    pools: Pools<DB>,
    clock: Arc<dyn Clock>,
    clock_check: Mutex<Option<ClockCheck>>,
    apps: Arc<AppNumbers>,
    executor: Arc<Executor<DB>>,
    lanes: Lanes,
    epoch: Arc<Epoch>,
    broadcast: Arc<Broadcast>,
    sweep_lease: Lease,
    orphans: OrphanSearch,
    send_jobs: JobRunner<SendJobs<DB>>,
    audit_chains: JobRunner<AuditChains<DB>>,
    erasures: JobRunner<Erasures<DB>>,
    app_erasures: JobRunner<AppErasures<DB>>,
    usage_counts: JobRunner<UsageCounts<DB>>,
    upload_slots: Arc<UploadSlots<DB>>,
    counts_loader: Arc<CountsLoader<DB>>,
    settle_timeout: Duration,
}

impl<DB: Backend> SqlStore<DB> {
    pub(crate) async fn new(pools: Pools<DB>, options: &Options) -> Result<Self, Error> {
        let epoch = Arc::new(Epoch::new(epoch::current(&pools).await?));
        let clock_check = match &options.clock {
            StoreClock::Checked(clock) => Some(ClockCheck::start(Arc::clone(clock), &pools).await?),
            StoreClock::Trusted(_) => None,
        };
        let apps = Arc::new(AppNumbers::new(&options.policy.quotas));
        let local = Arc::clone(&options.listener);
        let broadcast = Broadcast::start(local, &pools.write, options.notify_url());
        let broadcast = Arc::new(broadcast);
        let executor = Arc::new(Executor {
            pool: pools.write.clone(),
            policy: options.policy.clone(),
            audit_key: options.audit.key.clone(),
            ids: Arc::clone(&options.ids),
            message_cache: MessageCache::new(options.message_cache_bytes),
            listener: broadcast.clone(),
            settle_metrics: SettleMetrics::new(),
        });
        let runner = BatchRunner {
            executor: Arc::clone(&executor),
            clock: options.clock.clock(),
            batch_operations_max: options.lanes.batch_operations_max.max(1),
            metrics: LaneMetrics::new(),
        };
        // One connection is left for what is no batch: to ask what became of one.
        let connections: usize = saturating(options.write_connections);
        let lanes = options.lanes.count.min(connections.saturating_sub(1));
        let lanes = lanes.clamp(1, DB::WRITERS_MAX);
        let (read, clock) = (pools.read.clone(), options.clock.clock());
        let counts_loader = CountsLoader::new(read, apps.clone(), epoch.clone(), clock);
        let upload_slots = Arc::new(UploadSlots::new(&pools, options.clock.clock()));
        let send_jobs = JobRunner::new(SendJobs {
            read: pools.read.clone(),
            executor: Arc::clone(&executor),
        });
        let audit_chains = JobRunner::new(AuditChains::new(&pools, options));
        let erasures = Erasures::new(&pools, options.clock.clock(), Arc::clone(&executor));
        let erasures = JobRunner::new(erasures);
        let app_erasures = JobRunner::new(AppErasures::new(&pools, options.clock.clock()));
        let usage_counts = JobRunner::new(UsageCounts::new(&pools, options.clock.clock()));
        Ok(Self {
            counts_loader,
            lanes: Lanes::start(runner, lanes),
            pools,
            clock: options.clock.clock(),
            clock_check: Mutex::new(clock_check),
            apps,
            executor,
            epoch,
            broadcast,
            sweep_lease: Lease::new(),
            orphans: OrphanSearch::new(),
            send_jobs,
            audit_chains,
            erasures,
            app_erasures,
            usage_counts,
            upload_slots,
            settle_timeout: options.timeouts.unwrap_or(DB::TIMEOUTS).settle,
        })
    }

    /// Carries out operations of many users in one transaction. The verdicts are in the
    /// order of the operations; one that is refused does not touch the others.
    ///
    /// # Errors
    /// As [`MailStore::execute_action`], but for [`Error::Refused`].
    pub async fn execute_batch(
        &self,
        operations: Vec<(AppId, Operation)>,
        deadline: Instant,
    ) -> Result<Vec<Verdict>, Error> {
        let now = self.clock.now()?;
        let mut batch = Vec::with_capacity(operations.len());
        for (app, operation) in operations {
            batch.push(BatchedOperation {
                app: self.app(&app).await?,
                operation,
                account: CostAccount::default(),
                audit: None,
            });
        }
        let executor = Arc::clone(&self.executor);
        // In a task of its own: what has begun runs to its end, whoever stops waiting.
        let work = tokio::spawn(async move { executor.run_to_end(now, batch, deadline).await });
        work.await.map_err(|error| Error::Internal(error.into()))?
    }

    async fn app(&self, app: &AppId) -> Result<AppKey, Error> {
        let now = self.clock.now()?.ms;
        Ok(AppKey {
            app_no: self.apps.number(&self.pools.write, app, now).await?,
            app_id: app.clone(),
        })
    }

    fn messages_of<'a>(
        &'a self,
        app_no: i64,
        owner: &'a ProfileId,
        isolation: Isolation,
    ) -> Result<Messages<'a>, Error> {
        Ok(Messages {
            cache: &self.executor.message_cache,
            epoch: self.epoch.get(),
            app_no,
            owner,
            isolation,
            now: self.clock.now()?.due_ms,
        })
    }

    fn at(&self, seq: i64) -> FeedOffset {
        FeedOffset {
            epoch: self.epoch.get(),
            seq,
        }
    }

    /// Takes note of the epoch. In a new one, what was remembered may be somebody else's, and
    /// all who follow a mailbox have to look.
    fn live_in(&self, epoch: Uuid) {
        if self.epoch.set(epoch) {
            self.apps.clear();
            self.broadcast.on_database_replaced();
        }
    }
}

#[async_trait]
impl<DB: Backend> MailStore for SqlStore<DB> {
    async fn execute_action(
        &self,
        app: &AppId,
        operation: Operation,
        budget: Budget,
    ) -> Result<Outcome, Error> {
        if Instant::now() >= budget.deadline {
            return Err(Error::Deadline);
        }
        let key = self.app(app).await?;
        let creates_job = matches!(operation.action, Action::SendToProfiles(_));
        let done = self.lanes.execute(key, operation, budget).await;
        if let Err(Error::Unavailable(_)) = done {
            // When it is back, it may be another database.
            self.apps.forget(app);
        }
        let outcome = done??;
        if creates_job {
            self.send_jobs.wake();
        }
        Ok(outcome)
    }

    async fn upload_recipients(&self, app: &AppId) -> Result<Box<dyn RecipientUpload>, Error> {
        let app_no = self.app(app).await?.app_no;
        Ok(Box::new(
            RecipientSort::begin(&self.upload_slots, app_no).await?,
        ))
    }

    async fn counts(
        &self,
        app: &AppId,
        owner: &ProfileId,
        requester: Requester,
    ) -> Result<MailboxCounts, Error> {
        let mut reading = SettledRead::of(app, owner, requester);
        loop {
            let outcome = self.read_counts(&reading).await;
            if let Break(counted) = self.settle_if_due(&mut reading, outcome).await? {
                return Ok(counted.unwrap_or_else(|| MailboxCounts {
                    counts: domain::mailbox::Counts::default(),
                    offset: self.at(0),
                }));
            }
        }
    }

    async fn entries(
        &self,
        app: &AppId,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Lookup<Item>, Error> {
        let bytes_max = saturating(bytes_max);
        let mut reading = SettledRead::of(app, owner, Requester::Owner);
        loop {
            let (app_no, mut view) = self.view(&reading).await?;
            let outcome = read::entries::read(
                view.connection(),
                self.messages_of(app_no, owner, reading.isolation())?,
                owner,
                msgbox,
                message_ids,
                bytes_max,
            );
            let outcome = outcome.await;
            if let Break(items) = self
                .settle_if_due(&mut reading, view.end_with(outcome).await)
                .await?
            {
                return Ok(items.unwrap_or_else(|| Lookup {
                    found: Vec::new(),
                    remaining: Vec::new(),
                }));
            }
        }
    }

    async fn page(
        &self,
        app: &AppId,
        owner: &ProfileId,
        requester: Requester,
        scan: &Scan,
    ) -> Result<MailboxPage, Error> {
        let mut reading = SettledRead::of(app, owner, requester);
        if scan.count && !scan.criteria.is_box_only() {
            // The rows and their number, of one snapshot.
            reading = reading.in_snapshot();
        }
        loop {
            let (app_no, mut view) = self.view(&reading).await?;
            let messages = self.messages_of(app_no, owner, reading.isolation())?;
            let epoch = self.epoch.get();
            let outcome =
                read::mailbox_page::read(view.connection(), epoch, messages, owner, scan).await;
            if let Break(page) = self
                .settle_if_due(&mut reading, view.end_with(outcome).await)
                .await?
            {
                return Ok(page.unwrap_or_else(|| MailboxPage {
                    found: read::empty(scan),
                    examined: 0,
                    offset: self.at(0),
                }));
            }
        }
    }

    async fn changes(
        &self,
        app: &AppId,
        owner: &ProfileId,
        start: FeedStart,
        limits: FeedLimits,
    ) -> Result<FeedPage, Error> {
        let mut reading = SettledRead::of(app, owner, Requester::Owner);
        loop {
            let (app_no, mut view) = self.view(&reading).await?;
            let messages = self.messages_of(app_no, owner, reading.isolation())?;
            let thought = messages.epoch;
            let outcome =
                read::changes::read(view.connection(), messages, owner, start, limits).await;
            if let Break(Some((feed, epoch))) = self
                .settle_if_due(&mut reading, view.end_with(outcome).await)
                .await?
            {
                self.live_in(epoch);
                if epoch == thought {
                    return Ok(feed);
                }
                // Messages of another one may have gone into it.
            }
        }
    }

    async fn messages(
        &self,
        app: &AppId,
        message_ids: &[MessageId],
        bytes_max: usize,
    ) -> Result<Lookup<Message>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        let bytes_max = saturating(bytes_max);
        let now = self.clock.now()?.due_ms;
        let connection = view.connection();
        read::messages::read(
            connection,
            app_no,
            message_ids,
            now,
            bytes_max,
            DeletedSegments::Excluded,
        )
        .await
    }

    async fn repository_page(&self, app: &AppId, scan: &Scan) -> Result<RepositoryPage, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Snapshot).await?;
        let now = self.clock.now()?.due_ms;
        let page = read::repository_page::read(view.connection(), app_no, scan, now).await?;
        view.end().await?;
        Ok(page)
    }

    async fn bulk(&self, app: &AppId, message_id: MessageId) -> Result<Option<BulkReport>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        let now = self.clock.now()?.due_ms;
        read::bulk::read(view.connection(), app_no, message_id, now).await
    }

    async fn send_job(&self, app: &AppId, id: Uuid) -> Result<Option<JobReport>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        read::job::read(view.connection(), app_no, id, self.clock.now()?.due_ms).await
    }

    async fn app_state(&self, app: &AppId) -> Result<AppState, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        let now = self.clock.now()?.due_ms;
        let state = read::app_state::read(view.connection(), app_no, now).await?;
        if state.is_none() {
            // The app was erased, and may have another number now.
            self.apps.forget(app);
        }
        Ok(state.unwrap_or_default())
    }

    async fn revoked_before(
        &self,
        app: &AppId,
        profile: &ProfileId,
    ) -> Result<Option<Millis>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        read::revocation::read(view.connection(), app_no, profile).await
    }

    async fn blocks(
        &self,
        app: &AppId,
        owner: &ProfileId,
        after: Option<&ProfileId>,
        rows: u32,
    ) -> Result<Vec<Block>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        read::blocks::read(view.connection(), app_no, owner, after, rows).await
    }

    async fn participations(
        &self,
        app: &AppId,
        owner: &ProfileId,
    ) -> Result<Vec<Participation>, Error> {
        let reading = SettledRead::of(app, owner, Requester::Owner);
        let (app_no, mut view) = self.view(&reading).await?;
        read::conversations::participations(view.connection(), app_no, owner).await
    }

    async fn conversations(
        &self,
        app: &AppId,
        owner: &ProfileId,
        conversation_ids: &[ConversationId],
    ) -> Result<Vec<Conversation>, Error> {
        let reading = SettledRead::of(app, owner, Requester::Owner);
        let (app_no, mut view) = self.view(&reading).await?;
        read::conversations::shown(view.connection(), app_no, owner, conversation_ids).await
    }

    async fn erasure(
        &self,
        app: &AppId,
        profile: &ProfileId,
    ) -> Result<Option<ErasureReport>, Error> {
        let (app_no, mut view) = self.app_view(app, Isolation::Statement).await?;
        read::erasure::read(view.connection(), app_no, profile).await
    }

    fn policy(&self, settings: &Settings) -> Policy {
        settings.over(&self.executor.policy)
    }
}
