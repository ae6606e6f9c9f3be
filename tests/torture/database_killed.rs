//! Crashes of `PostgreSQL` under clients that retry until they are answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use sqlx::{AssertSqlSafe, Executor as _};
use support::coverage;
use support::postgres::Cluster;
use support::process::{Deployment, ServerProcess, UserClient};
use support::store::{DatabaseKind, TestDatabase};
use tokio::sync::Semaphore;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::seconds;
use super::sends::{delivered, missing, request, send_all};

const CLIENTS: usize = 32;
/// Minimum number of crashes.
const KILLS_MIN: u32 = 3;
/// Answers between two crashes.
const ANSWERS: u32 = 200;
/// Longest wait for these answers. Only a hang reaches it.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);
/// Pause of a client after a refusal.
const PAUSE: Duration = Duration::from_millis(20);

/// Progress that all clients share.
struct SharedProgress {
    next: AtomicUsize,
    ends: AtomicBool,
    /// Answers so far, as permits.
    answers: Semaphore,
}

/// Results of one client.
#[derive(Default)]
struct SenderReport {
    acknowledged: BTreeMap<usize, String>,
    refused: BTreeMap<String, u64>,
}

/// Sends message after message, each again by way of the other replica until it is
/// acknowledged.
async fn send_and_retry(
    mut replicas: [UserClient; 2],
    shared: Arc<SharedProgress>,
) -> SenderReport {
    let mut told = SenderReport::default();
    while !shared.ends.load(Ordering::Relaxed) {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let id = loop {
            match replicas[0].send_message_simple(request(number)).await {
                Ok(sent) => break sent.into_inner().message_id,
                Err(refused) => {
                    let code = refused.code();
                    let may_be_retried = [Code::Unavailable, Code::DeadlineExceeded];
                    assert!(may_be_retried.contains(&code), "{refused:?}");
                    *told.refused.entry(format!("{code:?}")).or_default() += 1;
                }
            }
            replicas.reverse();
            sleep(PAUSE).await;
        };
        told.acknowledged.insert(number, id);
        shared.answers.add_permits(1);
    }
    told
}

/// Two replicas on a database that crashes while clients send.
struct CrashingDatabase {
    cluster: Cluster,
    deployment: Deployment,
    replicas: [ServerProcess; 2],
}

impl CrashingDatabase {
    /// `settings` are the database's own.
    async fn begin(settings: &[&str]) -> Self {
        let cluster = Cluster::private();
        let database = cluster.server().database().await;
        let mut connection = cluster.server().connect().await.expect("a connection");
        for setting in settings {
            let text = setting.replace("{database}", &database.name);
            let set = connection.execute(AssertSqlSafe(text)).await;
            set.expect("a setting");
        }
        let deployment = Deployment::at(
            DatabaseKind::Postgres.into(),
            TestDatabase::Postgres(database),
        );
        Self {
            replicas: [deployment.serve(), deployment.serve()],
            deployment,
            cluster,
        }
    }

    /// Runs clients until the database has crashed `kills_min` times and the time is over.
    async fn run(&self, kills_min: u32, until: Instant) -> (SenderReport, u32) {
        let shared = Arc::new(SharedProgress {
            next: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
            answers: Semaphore::new(0),
        });
        let client = |number| {
            let mut replicas = self.replicas.each_ref().map(|replica| {
                let token = &self.replicas[0].tokens.alice;
                replica.messaging(token)
            });
            replicas.rotate_left(number % 2);
            tokio::spawn(send_and_retry(replicas, shared.clone()))
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        let mut kills = 0;
        while kills < kills_min || Instant::now() < until {
            let answers = timeout(ANSWERS_WITHIN, shared.answers.acquire_many(ANSWERS)).await;
            let answers = answers.unwrap_or_else(|_| panic!("{}", self.replicas[0].log()));
            answers.expect("an open semaphore").forget();
            block_in_place(|| {
                self.cluster.crash();
                self.cluster.restart();
            });
            kills += 1;
        }
        shared.ends.store(true, Ordering::Relaxed);
        let mut all = SenderReport::default();
        for told in join_all(clients).await {
            let told = told.expect("a client");
            all.acknowledged.extend(told.acknowledged);
            for (code, count) in told.refused {
                *all.refused.entry(code).or_default() += count;
            }
        }
        (all, kills)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn acknowledged_sends_survive_a_database_killed_repeatedly() {
    let storm = CrashingDatabase::begin(&[]).await;
    let until = Instant::now() + Duration::from_secs(seconds());
    let (told, kills) = storm.run(KILLS_MIN, until).await;
    let server = &storm.replicas[0];
    let ids: Vec<String> = told.acknowledged.values().cloned().collect();
    let lost = missing(server, &ids).await;
    let doubled = delivered(server).await.abs_diff(ids.len());
    let verified = storm.deployment.verify();
    coverage::print(&format!(
        "PostgreSQL killed {kills} times: {} acknowledged, {:?} before, lost {}, doubled {doubled}; {verified}",
        ids.len(),
        told.refused,
        lost.len(),
    ));
    assert_eq!(lost, Vec::<String>::new());
    assert_eq!(doubled, 0);
    assert!(!told.refused.is_empty(), "nobody noticed that it died");

    let again = send_all(server, told.acknowledged.keys().copied()).await;
    assert!(again == ids, "a retry has another answer");
    assert_eq!(delivered(server).await, ids.len(), "a retry has doubled it");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn a_database_without_synchronous_commit_loses_acknowledged_sends() {
    // Or else the test above sees nothing.
    let storm = CrashingDatabase::begin(&[
        "ALTER DATABASE {database} SET synchronous_commit = off",
        "ALTER SYSTEM SET wal_writer_delay = '10s'",
        "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
        "SELECT pg_reload_conf()",
    ])
    .await;
    let (told, kills) = storm.run(KILLS_MIN, Instant::now()).await;
    let ids: Vec<String> = told.acknowledged.values().cloned().collect();
    let lost = missing(&storm.replicas[0], &ids).await.len();
    coverage::print(&format!(
        "PostgreSQL without synchronous_commit killed {kills} times: {} acknowledged, lost {lost}",
        ids.len()
    ));
    assert_ne!(lost, 0);
}
