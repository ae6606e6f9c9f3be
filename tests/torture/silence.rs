//! A database that falls silent, and whose connections stay open: the network swallows all
//! that is said.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{AppId, ProfileId};
use futures::future::{join, join_all};
use storage::{Error, MailStore, Reader};
use storage_sql::READ_CONNECTIONS;
use support::proxy::{Moment, Proxy};
use support::service::TestService;
use support::store::{Backend, Fixture, Place, Site as _};
use tokio::time::timeout;

/// What a store takes to see that nobody answers, and to have new connections after that.
const IN_TIME: Duration = Duration::from_secs(10);
/// Longer than a connection is taken for well without being asked.
const A_WHILE: Duration = Duration::from_millis(200);
/// More calls than connections.
const CALLS: usize = 3 * READ_CONNECTIONS as usize;

/// A store that reaches its database by way of the proxy.
struct Site {
    test: TestService,
    store: Arc<dyn MailStore>,
    proxy: Proxy,
}

impl Site {
    async fn open() -> Self {
        let mut test = <TestService as Fixture>::open(Backend::Postgres.into()).await;
        let Place::Postgres(database) = test.store.place() else {
            unreachable!("it was asked for")
        };
        let proxy = Proxy::before(database.address(), Moment::BeforeCommit).await;
        test.store.options.url = database.url_through(proxy.address());
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
            let counts = self.store.counts(&app, &bob, Reader::Owner).await;
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

    /// Nobody waits longer than that, and nobody has an answer.
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
async fn a_database_that_falls_silent_under_calls_is_given_up_and_found_again() {
    let site = Site::open().await;
    site.works().await;
    site.proxy.fall_silent();
    site.is_away().await;
    site.comes_back().await;
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn a_database_that_fell_silent_between_calls_is_given_up_and_found_again() {
    let site = Site::open().await;
    tokio::time::sleep(A_WHILE).await;
    site.proxy.fall_silent();
    site.is_away().await;
    site.comes_back().await;
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn calls_that_nobody_waits_for_do_not_keep_the_connections_of_a_silent_database() {
    let site = Site::open().await;
    site.works().await;
    site.proxy.fall_silent();
    let given_up = timeout(A_WHILE, site.ask()).await;
    assert!(given_up.is_err(), "{given_up:?}");
    site.comes_back().await;
}
