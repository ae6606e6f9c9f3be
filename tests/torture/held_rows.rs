//! Rows that somebody holds for seconds, and users who do not need them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _};
use support::coverage;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::bystander::{Bystander, send};
use super::latency::figures;
use super::sends::{RECIPIENTS, recipient};

/// Time for which a session holds a row.
const HELD: Duration = Duration::from_secs(8);
/// Time for which a replica is stopped.
const STOPPED: Duration = Duration::from_secs(10);
/// Callers who need the row, one after the other each.
const CALLERS: usize = 8;
/// Attempts to stop a replica in the middle of a transaction.
const STOPS_MAX: usize = 200;
/// Time after which a transaction that is still idle belongs to a stopped replica.
const STILL_IDLE: Duration = Duration::from_millis(100);
/// Time within which a mailbox that a stopped replica held takes messages again. Only a hang
/// reaches it.
const SOON: Duration = Duration::from_mins(1);

async fn connection(deployment: &Deployment) -> PgConnection {
    let TestDatabase::Postgres(database) = deployment.database() else {
        panic!("PostgreSQL");
    };
    let connection = PgConnection::connect(&database.url).await;
    connection.expect("a connection")
}

/// Starts callers who send to the same few mailboxes again and again, whatever comes of it.
fn send_on(server: &Arc<ServerProcess>, recipients: usize) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let mut alice = server.messaging(&server.tokens.alice);
        callers.spawn(async move {
            for sends in number.. {
                let _ = send(&mut alice, vec![recipient(sends % recipients)]).await;
            }
        });
    }
    callers
}

fn print(name: &str, seen: Bystander) {
    assert!(seen.refused.is_empty(), "{name}: {:?}", seen.refused);
    coverage::print(&format!("{name}: {}, refused 0", figures(seen.delays)));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: measures time"]
async fn a_held_row_stops_no_other_app() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let server = Arc::new(deployment.serve());
    let bob = deployment.token("other", "bob");
    let mut alice = server.messaging(&server.tokens.alice);
    send(&mut alice, vec![recipient(0)])
        .await
        .expect("a message");
    let alone = Bystander::call(&server, &bob, HELD).await;
    print("another app's user alone", alone);

    let mut session = connection(&deployment).await;
    let mut held = session.begin().await.expect("a transaction");
    let lock = "SELECT 1 FROM mailbox WHERE profile_id = $1 FOR UPDATE";
    let locked = sqlx::query(lock).bind(recipient(0)).fetch_all(&mut *held);
    assert_eq!(locked.await.expect("a row").len(), 1);
    let callers = send_on(&server, 1);
    let beside = Bystander::call(&server, &bob, HELD).await;
    drop(callers);
    print("beside a row that is held for 8 s", beside);
    held.rollback().await.expect("a rollback");
    send(&mut alice, vec![recipient(0)])
        .await
        .expect("a message");
    drop(server);
    deployment.end(true).await;
}

/// Returns the idle transactions of all replicas that hold rows, by process and start.
async fn idle_transactions(session: &mut PgConnection) -> Vec<(i32, String)> {
    let rows = sqlx::query(
        "SELECT pid, xact_start::text FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'postroom' AND state = 'idle in transaction'
         AND backend_xid IS NOT NULL ORDER BY pid",
    );
    let rows = rows.fetch_all(session).await.expect("the activity");
    let rows = rows.iter().map(|row| (row.get(0), row.get(1)));
    rows.collect()
}

/// Stops a replica in the middle of a transaction, and returns a function that lets it go on.
async fn stop_in_transaction(
    replica: &ServerProcess,
    session: &mut PgConnection,
) -> impl FnOnce() + use<> {
    for _ in 0..STOPS_MAX {
        let go_on = replica.pause();
        let idle = idle_transactions(session).await;
        sleep(STILL_IDLE).await;
        let still = idle_transactions(session).await;
        if still.iter().any(|transaction| idle.contains(transaction)) {
            return go_on;
        }
        go_on();
        sleep(Duration::from_millis(7)).await;
    }
    panic!("the replica was never in a transaction");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: measures time"]
async fn a_stopped_replica_stops_no_other_mailbox() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let replicas = [(); 3].map(|()| Arc::new(deployment.serve()));
    let [first, second, third] = &replicas;
    let bob = deployment.token("other", "bob");
    let alone = Bystander::call(first, &bob, STOPPED).await;
    print("another app's user alone", alone);

    let mut session = connection(&deployment).await;
    let callers = send_on(third, RECIPIENTS);
    let go_on = stop_in_transaction(third, &mut session).await;
    let stopped = Instant::now();
    let resumed = async {
        let sends = (0..RECIPIENTS).map(|number| {
            let mut alice = second.messaging(&second.tokens.alice);
            async move {
                while send(&mut alice, vec![recipient(number)]).await.is_err() {}
                stopped.elapsed()
            }
        });
        let sends = timeout(SOON, futures::future::join_all(sends)).await;
        sends.expect("messages").into_iter().max()
    };
    let beside = Bystander::call(first, &bob, STOPPED);
    let (beside, resumed) = tokio::join!(beside, resumed);
    go_on();
    drop(callers);
    print("beside a replica that is stopped for 10 s", beside);
    coverage::print(&format!(
        "the mailboxes of the stopped replica take messages after {} ms",
        resumed.expect("mailboxes").as_millis()
    ));
    drop(replicas);
    deployment.end(true).await;
}
