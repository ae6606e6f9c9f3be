//! Fixture of the conformance tests: the store, the database below it, and operations on both.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::page::Scan;
use domain::{Action, AppId, Message, MessageId, Msgbox, Operation, Outcome, Policy, Refusal};
use storage::{Error, Item, Lookup, MailboxPage, Requester, Store};
use storage_sql::{Options, Postgres, SqlStore, Sqlite, open_backend};
use support::clock::ManualClock;
use support::store::{DatabaseKind, Fixture, Setup, TestStore};
use tokio::sync::OnceCell;

use super::builders::{announce, app, operation, profile, send, sent};

mod raw_database;

pub use raw_database::{HeldLock, PLANNER_SETTINGS, RawDatabase};

/// Byte limit that no answer reaches.
pub const ALL_BYTES: usize = 64 * 1024 * 1024;
/// Longest wait of a test. Only one that hangs reaches it.
pub const IN_TIME: Duration = Duration::from_mins(10);

/// A deadline that no test reaches.
pub fn in_time() -> Instant {
    Instant::now() + IN_TIME
}

/// A store that also takes batches.
#[derive(Clone)]
pub enum BatchStore {
    Sqlite(Arc<SqlStore<Sqlite>>),
    Postgres(Arc<SqlStore<Postgres>>),
}

impl BatchStore {
    async fn open(backend: DatabaseKind, options: &Options) -> Self {
        match backend {
            DatabaseKind::Sqlite => Self::Sqlite(open_backend(options).await.expect("it opens")),
            DatabaseKind::Postgres => {
                Self::Postgres(open_backend(options).await.expect("it opens"))
            }
        }
    }

    /// Carries out many operations in one transaction.
    pub async fn try_batch(
        &self,
        operations: Vec<(AppId, Operation)>,
    ) -> Result<Vec<Result<Outcome, Refusal>>, Error> {
        match self {
            Self::Sqlite(store) => store.execute_batch(operations, in_time()).await,
            Self::Postgres(store) => store.execute_batch(operations, in_time()).await,
        }
    }

    pub async fn batch(
        &self,
        operations: Vec<(AppId, Operation)>,
    ) -> Vec<Result<Outcome, Refusal>> {
        self.try_batch(operations).await.expect("a batch")
    }

    /// Carries out one operation.
    pub async fn run(&self, app: &AppId, operation: Operation) -> Result<Outcome, Refusal> {
        match self.execute(app, operation, in_time()).await {
            Ok(outcome) => Ok(outcome),
            Err(Error::Refused(refusal)) => Err(refusal),
            Err(error) => panic!("{error:?}"),
        }
    }
}

impl Deref for BatchStore {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Sqlite(store) => store.as_ref(),
            Self::Postgres(store) => store.as_ref(),
        }
    }
}

pub struct StoreFixture {
    pub test: TestStore,
    pub store: BatchStore,
    raw: OnceCell<RawDatabase>,
}

impl Fixture for StoreFixture {
    async fn open(setup: Setup) -> Self {
        let test = TestStore::open(setup).await;
        Self {
            store: BatchStore::open(setup.backend, &test.options).await,
            test,
            raw: OnceCell::new(),
        }
    }

    fn into_store(self) -> TestStore {
        self.test
    }
}

impl StoreFixture {
    /// A second store on the same database, as another replica has it.
    pub async fn replica(&self) -> BatchStore {
        self.store_of(&self.test.options).await
    }

    /// A store on the same database with other rules.
    pub async fn store_with(&self, policy: Policy) -> BatchStore {
        let options = Options {
            policy,
            ..self.test.options.clone()
        };
        self.store_of(&options).await
    }

    /// A store that is opened so.
    pub async fn store_of(&self, options: &Options) -> BatchStore {
        BatchStore::open(self.test.backend(), options).await
    }

    pub fn clock(&self) -> &ManualClock {
        &self.test.clock
    }

    /// The database without the store.
    pub async fn raw(&self) -> &RawDatabase {
        let open = || RawDatabase::open(self.test.backend(), &self.test.options.url);
        self.raw.get_or_init(open).await
    }

    pub async fn execute(&self, app: &AppId, operation: Operation) -> Result<Outcome, Refusal> {
        self.store.run(app, operation).await
    }

    /// Does something in the one app.
    pub async fn act(&self, action: Action) -> Result<Outcome, Refusal> {
        self.execute(&app(), operation(action)).await
    }

    /// Does what must work.
    pub async fn done(&self, action: Action) -> Outcome {
        self.act(action).await.expect("it works")
    }

    pub async fn send(&self, from: &str, to: &[&str]) -> MessageId {
        sent(self.act(send(from, to)).await)
    }

    pub async fn announce(&self, to: &[&str]) -> MessageId {
        sent(self.act(announce(to)).await)
    }

    /// Does several things in the one app, in one transaction.
    pub async fn batch(
        &self,
        actions: impl IntoIterator<Item = Action>,
    ) -> Vec<Result<Outcome, Refusal>> {
        let operations = actions.into_iter().map(operation);
        let batch = operations.map(|operation| (app(), operation)).collect();
        self.store.batch(batch).await
    }

    /// Messages in `inbox`, unread ones of them, and messages in `sent`.
    pub async fn counts(&self, owner: &str) -> (i64, i64, i64) {
        self.counts_in(&app(), owner).await
    }

    pub async fn counts_in(&self, app: &AppId, owner: &str) -> (i64, i64, i64) {
        let counted = self
            .store
            .counts(app, &profile(owner), Requester::App)
            .await;
        let counts = counted.expect("counts").counts;
        (counts.inbox_total, counts.inbox_unread, counts.sent_total)
    }

    /// Page of a mailbox of the default app, as the app reads it.
    pub async fn page(&self, owner: &str, scan: &Scan) -> MailboxPage {
        let (app, owner) = (app(), profile(owner));
        let page = self.store.page(&app, &owner, Requester::App, scan).await;
        page.expect("a page")
    }

    /// Named entries in the one app.
    pub async fn entries(
        &self,
        owner: &str,
        msgbox: Msgbox,
        ids: &[MessageId],
        bytes_max: usize,
    ) -> Lookup<Item> {
        let (app, owner) = (app(), profile(owner));
        let items = self.store.entries(&app, &owner, msgbox, ids, bytes_max);
        items.await.expect("entries")
    }

    /// Named messages in the one app.
    pub async fn messages(&self, ids: &[MessageId]) -> Vec<Message> {
        let messages = self.store.messages(&app(), ids, ALL_BYTES).await;
        messages.expect("messages").found
    }
}
