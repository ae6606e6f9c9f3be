//! A send is on disk before it is answered: seen from outside, by `strace`.

use proto::v1;
use sqlx::{AssertSqlSafe, Executor as _};
use support::coverage;
use support::postgres::Cluster;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use support::strace::Strace;

use super::sends::{request, send_all};

/// Calls of each kind, one after the other.
const CALLS: usize = 20;
/// Part of the path of the log of `SQLite`.
const SQLITE_LOG: &str = "-wal";
/// Part of the paths of the log of `PostgreSQL`.
const POSTGRES_LOG: &str = "/pg_wal/";

/// Numbers of calls, of [`CALLS`] each, that were answered after a sync of the log.
#[derive(Debug, PartialEq, Eq)]
struct SyncCounts {
    sends: usize,
    reads: usize,
}

impl SyncCounts {
    /// Calls while processes are watched; none if they cannot be.
    async fn watch(
        server: &ServerProcess,
        processes: impl Fn() -> Vec<u32>,
        log: &str,
    ) -> Option<Self> {
        // Afterwards mailboxes, connections and their processes are there.
        send_all(server, 0..CALLS).await;
        let Some(strace) = Strace::attach(&processes()) else {
            coverage::print_once(
                "strace: there is none, or it may not: that sends are on disk is not shown",
            );
            return None;
        };
        let mut alice = server.messaging(&server.tokens.alice);
        let mut synced = Self { sends: 0, reads: 0 };
        for number in CALLS..2 * CALLS {
            let before = strace.syncs(log);
            let sent = alice.send_message_simple(request(number)).await;
            synced.sends += usize::from(strace.syncs(log) > before);
            sent.expect("a message");
        }
        for _ in 0..CALLS {
            let before = strace.syncs(log);
            let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
            let counts = counts.await;
            synced.reads += usize::from(strace.syncs(log) > before);
            counts.expect("counts");
        }
        Some(synced)
    }

    fn print(&self, database: &str) {
        let Self { sends, reads } = self;
        coverage::print(&format!(
            "strace, {database}: {sends} of {CALLS} lone sends and {reads} of {CALLS} reads were answered after the log was put on disk"
        ));
    }
}

/// Counts syncs of a `PostgreSQL` cluster with a setting of `synchronous_commit`.
async fn watch_postgres(synchronous_commit: &str) -> Option<SyncCounts> {
    let cluster = Cluster::private();
    let database = cluster.server().database().await;
    let mut connection = cluster.server().connect().await.expect("a connection");
    let text = format!(
        "ALTER DATABASE {} SET synchronous_commit = {synchronous_commit}",
        database.name
    );
    let set = connection.execute(AssertSqlSafe(text)).await;
    set.expect("a setting");
    let deployment = Deployment::at(
        DatabaseKind::Postgres.into(),
        TestDatabase::Postgres(database),
    );
    let server = deployment.serve();
    let synced = SyncCounts::watch(&server, || cluster.processes(), POSTGRES_LOG).await?;
    synced.print(&format!(
        "PostgreSQL, synchronous_commit {synchronous_commit}"
    ));
    Some(synced)
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn with_sqlite_a_lone_send_is_on_disk_before_it_is_answered() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    if let Some(synced) = SyncCounts::watch(&server, || vec![server.id()], SQLITE_LOG).await {
        synced.print("SQLite");
        let (sends, reads) = (CALLS, 0);
        assert_eq!(synced, SyncCounts { sends, reads });
    }
    drop(server);
    deployment.end(true).await;
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn with_postgres_a_lone_send_is_on_disk_before_it_is_answered() {
    if let Some(synced) = watch_postgres("on").await {
        assert_eq!(synced.sends, CALLS);
    }
    // Or else all of this sees nothing.
    if let Some(synced) = watch_postgres("off").await {
        assert!(synced.sends < CALLS, "{synced:?}");
    }
}
