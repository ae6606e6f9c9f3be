//! A database behind a network that drops all bytes and closes no connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{AppId, ProfileId};
use futures::future::{join, join_all};
use storage::{Error, Requester, Store};
use storage_sql::READ_CONNECTIONS;
use support::commit_proxy::{CommitProxy, Moment};
use support::service::TestService;
use support::store::{DatabaseKind, Fixture, TestDatabase, TestEnvironment as _};
use tokio::time::timeout;

/// Time within which a store gives up silent connections and has new ones.
const IN_TIME: Duration = Duration::from_secs(10);
/// Time after which an idle connection is checked before use.
const A_WHILE: Duration = Duration::from_millis(200);
/// Number of calls, more than there are connections.
const CALLS: usize = 3 * READ_CONNECTIONS as usize;

/// A store that reaches its database by way of the proxy.
struct SilentDatabase {
    test: TestService,
    store: Arc<dyn Store>,
    proxy: CommitProxy,
}

impl SilentDatabase {
    async fn open() -> Self {
        let mut test = <TestService as Fixture>::open(DatabaseKind::Postgres.into()).await;
        let TestDatabase::Postgres(database) = test.store.database() else {
            unreachable!("it was asked for")
        };
        let proxy = CommitProxy::before(database.address(), Moment::BeforeCommit).await;
        test.store.options.url = database.url_through(proxy.address());
        // The time limits of a service.
        test.store.options.timeouts = None;
        let store = test.store.replica().await;
        let site = Self { test, store, proxy };
        site.works().await;
        site
    }

    /// Reads on more calls than there are connections, and writes.
    async fn ask(&self) -> Vec<Result<(), Error>> {
        let (app, bob) = (
            AppId::parse("app").expect("an app"),
            ProfileId::parse("bob").expect("a profile"),
        );
        let reads = join_all((0..CALLS).map(async |_| {
            let counts = self.store.counts(&app, &bob, Requester::Owner).await;
            counts.map(drop)
        }));
        let (mut answers, written) = join(reads, self.store.ready()).await;
        answers.push(written);
        answers
    }

    async fn works(&self) {
        for answer in self.ask().await {
            answer.expect("an answer");
        }
    }

    /// Asserts that all calls fail within [`IN_TIME`].
    async fn is_away(&self) {
        let answers = timeout(IN_TIME, self.ask()).await.expect("in time");
        for answer in answers {
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        }
    }

    /// The database answers again, and so does the store before long.
    async fn comes_back(self) {
        self.proxy.speak_again();
        let until = Instant::now() + IN_TIME;
        while self.ask().await.iter().any(Result::is_err) {
            assert!(Instant::now() < until, "it does not come back");
        }
        self.store.close().await;
        self.test.end(true).await;
    }
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn calls_fail_and_recover_when_the_database_falls_silent() {
    let site = SilentDatabase::open().await;
    site.works().await;
    site.proxy.fall_silent();
    site.is_away().await;
    site.comes_back().await;
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn calls_fail_and_recover_when_idle_connections_fall_silent() {
    let site = SilentDatabase::open().await;
    tokio::time::sleep(A_WHILE).await;
    site.proxy.fall_silent();
    site.is_away().await;
    site.comes_back().await;
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn dropped_calls_release_the_connections_of_a_silent_database() {
    let site = SilentDatabase::open().await;
    site.works().await;
    site.proxy.fall_silent();
    let given_up = timeout(A_WHILE, site.ask()).await;
    assert!(given_up.is_err(), "{given_up:?}");
    site.comes_back().await;
}
