//! A store for each test, once on each database.
//!
//! A test is a plain `async fn` with a reference to what it stands on, a [`TestStore`] or a
//! [`TestService`](crate::service::TestService). A file lists its tests at the end:
//!
//! ```ignore
//! async fn a_new_mailbox_is_empty(test: &TestStore) { … }
//!
//! on_each_database![a_new_mailbox_is_empty];
//! ```
//!
//! and each runs as `sqlite::a_new_mailbox_is_empty` and `postgres::a_new_mailbox_is_empty`. One
//! that is not listed is dead code, which the compiler reports. What must hold however writes
//! are gathered into transactions is listed by `however_gathered` and runs oftener. After a test that passed, all
//! counters of its store must equal a recount.

use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use domain::audit::AuditKey;
use domain::{Policy, Quotas};
use futures::FutureExt as _;
use realtime::Hub;
use storage::{ChangeListener, NoListener, Store};
use storage_sql::{
    AuditOptions, LaneOptions, Notify, Options, StoreClock, Timeouts, WRITE_CONNECTIONS,
};
use tokio::runtime;

use crate::clock::ManualClock;
use crate::ids::SequentialIds;
use crate::postgres::{self, PostgresDatabase};
use crate::temp_folder::TempFolder;
use crate::{coverage, drift};

/// Time limits of the stores of tests, which only hangs reach. Those of a service would fail tests
/// on a busy machine.
pub const TIMEOUTS: Timeouts = Timeouts {
    acquire: Duration::from_mins(1),
    lock: Duration::from_mins(1),
    statement: Duration::from_mins(1),
    settle: Duration::from_mins(1),
};

/// Secret of the key of audit logs.
pub const AUDIT_SECRET: [u8; 32] = [7; 32];

/// Databases that every test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// `SQLite`, embedded.
    Sqlite,
    /// `PostgreSQL`.
    Postgres,
}

/// Database and write options of a test.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The database.
    pub backend: DatabaseKind,
    /// Lanes of the store.
    pub lanes: LaneOptions,
    /// True if the message cache is on.
    pub remembers: bool,
}

impl From<DatabaseKind> for Setup {
    fn from(backend: DatabaseKind) -> Self {
        Self {
            backend,
            lanes: LaneOptions::default(),
            remembers: true,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LaneOptions {
            count,
            batch_operations_max,
        } = self.lanes;
        match self.backend {
            DatabaseKind::Sqlite => write!(f, "SQLite")?,
            DatabaseKind::Postgres => write!(f, "PostgreSQL, lanes: {count}")?,
        }
        write!(f, ", batches of up to {batch_operations_max}")?;
        if self.remembers {
            Ok(())
        } else {
            write!(f, ", nothing remembered")
        }
    }
}

impl Setup {
    /// A setup with `count` lanes and batches of up to `batch_operations_max` operations.
    #[must_use]
    pub const fn new(backend: DatabaseKind, count: usize, batch_operations_max: usize) -> Self {
        let lanes = LaneOptions {
            count,
            batch_operations_max,
        };
        Self {
            backend,
            lanes,
            remembers: true,
        }
    }

    /// Setup without the message cache.
    #[must_use]
    pub const fn remembering_nothing(self) -> Self {
        Self {
            remembers: false,
            ..self
        }
    }

    /// True for the default lanes.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.lanes == LaneOptions::default()
    }

    /// Connections that write, so that no lane goes without.
    #[must_use]
    pub fn write_connections(&self) -> u32 {
        let needed = u32::try_from(self.lanes.count + 1).unwrap_or(u32::MAX);
        needed.max(WRITE_CONNECTIONS)
    }
}

/// A store of one test, with a deterministic clock and ids.
pub struct TestStore {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Clock of the store.
    pub clock: Arc<ManualClock>,
    /// Hub that the store notifies.
    pub hub: Arc<Hub>,
    /// Options that the store was opened with.
    pub options: Options,
    setup: Setup,
    database: TestDatabase,
}

/// Database of one test.
pub enum TestDatabase {
    /// A file in a folder.
    Sqlite(TempFolder),
    /// A database on a server.
    Postgres(PostgresDatabase),
}

impl TestDatabase {
    /// Makes one; with `PostgreSQL`, the schema is there.
    pub async fn new(backend: DatabaseKind) -> Self {
        match backend {
            DatabaseKind::Sqlite => {
                coverage::covers("SQLite, embedded");
                Self::Sqlite(TempFolder::in_memory())
            }
            DatabaseKind::Postgres => Self::Postgres(postgres::shared().database().await),
        }
    }

    /// The url of the database.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.join("postroom.db").display()),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    /// Removes everything.
    pub async fn remove(self) {
        match self {
            Self::Sqlite(folder) => drop(folder),
            Self::Postgres(database) => database.remove().await,
        }
    }
}

/// The default policy without the limits of what one user may do to another. Apps have quotas that
/// none reaches, so that the usage of each is counted.
#[must_use]
pub fn lenient() -> Policy {
    Policy {
        app_reserve_percent: 0,
        max_unread_per_sender: 0,
        quotas: Quotas {
            app_kept_mib: 1_000_000,
            app_mailboxes: 1_000_000,
            ..Quotas::default()
        },
        ..Policy::default()
    }
}

impl TestStore {
    /// Opens an empty store, in which one user may fill the inbox of another.
    pub async fn open(setup: Setup) -> Self {
        Self::open_with(setup, lenient()).await
    }

    /// Opens an empty store with another default policy.
    pub async fn open_with(setup: Setup, policy: Policy) -> Self {
        Self::open_as(setup, policy, Notify::Off).await
    }

    /// Opens an empty store that notifies other stores on its database. It has no quotas: a test
    /// calls as often as many users do.
    pub async fn that_tells(setup: Setup) -> Self {
        let policy = Policy {
            quotas: Quotas::NO_LIMITS,
            ..lenient()
        };
        Self::open_as(setup, policy, Notify::Database).await
    }

    async fn open_as(setup: Setup, policy: Policy, notify: Notify) -> Self {
        let database = TestDatabase::new(setup.backend).await;
        let clock = Arc::new(ManualClock::default());
        let hub = Hub::new();
        let mut options = Options {
            policy,
            notify,
            listener: hub.clone(),
            clock: StoreClock::Trusted(clock.clone()),
            ids: Arc::new(SequentialIds::default()),
            lanes: setup.lanes,
            audit: AuditOptions {
                key: Some(AuditKey::new(AUDIT_SECRET)),
                ..AuditOptions::default()
            },
            timeouts: Some(TIMEOUTS),
            write_connections: setup.write_connections(),
            ..Options::new(database.url())
        };
        if !setup.remembers {
            options.message_cache_bytes = 0;
        }
        let store = storage_sql::open(&options).await.expect("a store");
        Self {
            store,
            clock,
            hub,
            options,
            setup,
            database,
        }
    }

    /// Kind of database.
    #[must_use]
    pub const fn backend(&self) -> DatabaseKind {
        self.setup.backend
    }

    /// Setup of the test.
    #[must_use]
    pub const fn setup(&self) -> Setup {
        self.setup
    }

    /// Database of the store.
    #[must_use]
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A second store over the same data, as another replica would open it: it shares the
    /// clock and the ids, and nothing else. Closing it is up to the test.
    pub async fn replica(&self) -> Arc<dyn Store> {
        self.replica_with(Arc::new(NoListener), self.options.notify.clone())
            .await
    }

    /// A second store over the same data, with a listener and notifications.
    pub async fn replica_with(
        &self,
        listener: Arc<dyn ChangeListener>,
        notify: Notify,
    ) -> Arc<dyn Store> {
        let options = Options {
            listener,
            notify,
            ..self.options.clone()
        };
        storage_sql::open(&options).await.expect("a second store")
    }

    /// Closes the store and removes its data.
    pub async fn close(self) {
        self.store.close().await;
        self.database.remove().await;
    }
}

/// Fixture of tests that run on each database.
pub trait Fixture: Sized {
    /// Makes it.
    fn open(setup: Setup) -> impl Future<Output = Self>;
    /// The store in it.
    fn into_store(self) -> TestStore;
}

impl Fixture for TestStore {
    async fn open(setup: Setup) -> Self {
        Self::open(setup).await
    }

    fn into_store(self) -> TestStore {
        self
    }
}

/// Environment of a test: created before it, checked and removed after it.
pub trait TestEnvironment: Sized {
    /// Makes it.
    fn open(setup: Setup) -> impl Future<Output = Self>;
    /// Checks it, if the test `passed`, and removes it.
    fn end(self, passed: bool) -> impl Future<Output = ()>;
}

impl<F: Fixture> TestEnvironment for F {
    async fn open(setup: Setup) -> Self {
        <F as Fixture>::open(setup).await
    }

    async fn end(self, passed: bool) {
        let store = self.into_store();
        let recounted = if passed {
            let recount = AssertUnwindSafe(drift::assert_none(&*store.store));
            recount.catch_unwind().await.map(drop)
        } else {
            Ok(())
        };
        store.close().await;
        recounted.unwrap_or_else(|panic| resume_unwind(panic));
    }
}

/// Runs a test on a setup, and recounts its mailboxes.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests are handed over by their names"
)]
pub fn run<S: TestEnvironment>(setup: impl Into<Setup>, test: impl AsyncFn(&S)) {
    let mut builder = runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let site = S::open(setup.into()).await;
        let tested = AssertUnwindSafe(test(&site)).catch_unwind().await;
        site.end(tested.is_ok()).await;
        tested.unwrap_or_else(|panic| resume_unwind(panic));
    });
}

/// Makes two tests of each function that is named: one on each database.
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        $crate::on_setup!(
            sqlite,
            $crate::store::DatabaseKind::Sqlite,
            [$($(#[$attribute])* $test),+]
        );
        $crate::on_postgres![$($(#[$attribute])* $test),+];
    };
}

/// Makes a test of each function that is named, on `PostgreSQL`: for what `SQLite` does not have.
#[macro_export]
macro_rules! on_postgres {
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        $crate::on_setup!(
            postgres, $crate::store::DatabaseKind::Postgres, [$($(#[$attribute])* $test),+]
        );
    };
}

/// Makes tests of each function that is named: on each database, and however the writes are
/// gathered there.
#[macro_export]
macro_rules! however_gathered {
    ($($test:ident),+ $(,)?) => {
        $crate::on_each_database![$($test),+];
        $crate::on_setup!(
            sqlite_one_by_one,
            $crate::store::Setup::new($crate::store::DatabaseKind::Sqlite, 1, 1).remembering_nothing(),
            [$($test),+]
        );
        $crate::on_setup!(
            postgres_in_four_lanes,
            $crate::store::Setup::new($crate::store::DatabaseKind::Postgres, 4, 256),
            [$($test),+]
        );
        $crate::on_setup!(
            postgres_in_four_lanes_one_by_one,
            $crate::store::Setup::new($crate::store::DatabaseKind::Postgres, 4, 1)
                .remembering_nothing(),
            [$($test),+]
        );
    };
}

/// Makes a test of each function that is named, on one setup.
#[macro_export]
macro_rules! on_setup {
    ($name:ident, $setup:expr, [$($(#[$attribute:meta])* $test:ident),+]) => {
        mod $name {
            $(#[test]
            $(#[$attribute])*
            fn $test() {
                $crate::store::run($setup, super::$test);
            })+
        }
    };
}
