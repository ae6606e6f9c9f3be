//! A database that is put back as it was at its last backup, while clients know more.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::event::Frame;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use support::postgres::Cluster;
use support::process::{AUDIT_KEY, DATABASE_VARIABLE, Deployment, ServerProcess, postroom};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use support::{command, coverage, gears};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::conformance::fixture::IN_TIME;
use crate::realtime::subscriber::{FrameSummary, StreamSubscriber, short};

/// Time within which a running replica notices that its database is another one: a poll, and a
/// margin. Asserted in the second gear.
const NOTICED_WITHIN: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(50);

async fn send(server: &ServerProcess) -> FrameSummary {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "hello".to_owned(),
        ..Default::default()
    };
    let mut alice = server.messaging(&server.tokens.alice);
    let sent = alice.send_message_simple(request).await;
    ("new", sent.expect("it is sent").into_inner().message_id)
}

async fn follow(server: &ServerProcess, cursor: &str) -> StreamSubscriber {
    let request = v1::SubscribeRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    let mut bob = server.messaging(&server.tokens.bob);
    let stream = bob.subscribe(request).await.expect("a stream");
    StreamSubscriber::over(stream.into_inner(), cursor)
}

/// Backlog from a cursor. Checks that the stream then shows new messages.
async fn backlog(server: &ServerProcess, cursor: &str) -> Vec<FrameSummary> {
    let mut bob = follow(server, cursor).await;
    let seen = bob.backlog().await;
    let sent = [send(server).await, send(server).await];
    assert_eq!(bob.changes(2).await, sent);
    let said = |short: &FrameSummary| short.0 != "counts";
    seen.into_iter().filter(said).collect()
}

fn resync(reason: &str) -> [FrameSummary; 1] {
    [("resync", format!("RESYNC_REASON_{reason}"))]
}

/// Cursors of a client from before and after the backup.
struct Cursors {
    before: String,
    after: String,
}

/// Sends two messages, takes a backup, and sends three more messages.
async fn live(server: &ServerProcess, back_up: impl AsyncFnOnce()) -> Cursors {
    let mut bob = follow(server, "").await;
    bob.backlog().await;
    let sent = [send(server).await, send(server).await];
    assert_eq!(bob.changes(2).await, sent);
    let before = bob.cursor;
    back_up().await;
    let sent = [send(server).await, send(server).await, send(server).await];
    let mut bob = follow(server, &before).await;
    assert_eq!(bob.changes(3).await, sent);
    let after = bob.cursor;
    Cursors { before, after }
}

async fn end(server: ServerProcess) {
    server.terminate();
    assert!(server.ended().await.success());
}

/// Checks cursors against a restored copy, before and after `new-epoch`.
async fn was_put_back(deployment: &Deployment, cursors: &Cursors) {
    let server = deployment.serve();
    assert_eq!(
        backlog(&server, &cursors.after).await,
        resync("CURSOR_AHEAD")
    );
    // Two more have come since, which this cursor never saw.
    assert_eq!(backlog(&server, &cursors.before).await.len(), 2);
    // The numbers are beyond the cursor now, and other messages are behind it: without
    // `new-epoch` the owner misses three new messages, and no resync reports it.
    let missed = 4 - backlog(&server, &cursors.after).await.len();
    assert_eq!(missed, 3);

    let mut bob = follow(&server, "").await;
    bob.backlog().await;
    let url = deployment.database().url();
    let mut command = postroom(["new-epoch"]);
    command::run(command.env(DATABASE_VARIABLE, url)).expect("a new epoch");
    assert_eq!([short(&bob.next().await)], resync("EPOCH_CHANGED"));
    for cursor in [&cursors.before, &cursors.after] {
        assert_eq!(backlog(&server, cursor).await, resync("EPOCH_CHANGED"));
    }
    coverage::print(&format!(
        "{} put back: ahead is said; without new-epoch missed {missed}, with it 0",
        match deployment.database() {
            TestDatabase::Sqlite(_) => "a file",
            TestDatabase::Postgres(_) => "a data folder",
        }
    ));
    end(server).await;
}

#[tokio::test]
async fn a_restored_file_with_a_new_epoch_loses_no_change() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let url = deployment.database().url();
    let file = url.strip_prefix("sqlite:").expect("a file");
    let backup = deployment.data_dir().join("backup.db");
    let server = deployment.serve();
    let cursors = live(&server, async || {
        let connection = SqliteConnection::connect(&url).await;
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(backup.display().to_string())
            .execute(&mut connection.expect("the file is there"))
            .await;
        copied.expect("a backup");
    })
    .await;
    server.kill();
    for rest in ["-wal", "-shm"] {
        fs::remove_file(format!("{file}{rest}")).expect("what the crash left");
    }
    fs::copy(&backup, file).expect("a copy");
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("a mode");
    was_put_back(&deployment, &cursors).await;
    deployment.end(true).await;
}

#[tokio::test]
async fn a_profile_that_was_erased_since_the_backup_is_erased_again() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let url = deployment.database().url();
    let command = |arguments: &[&str]| {
        let mut command = postroom(arguments.iter().copied());
        command.env(DATABASE_VARIABLE, &url);
        command::run(command.env(AUDIT_KEY.0, AUDIT_KEY.1)).expect("an end")
    };
    let server = deployment.serve();
    send(&server).await;
    let file = url.strip_prefix("sqlite:").expect("a file");
    let backup = format!("{file}.backup");
    let mut connection = SqliteConnection::connect(&url).await.expect("the file");
    let copied = sqlx::query("VACUUM INTO $1").bind(&backup);
    copied.execute(&mut connection).await.expect("a backup");
    connection.close().await.expect("an end");
    let mut app = server.system();
    let erase = sys::EraseProfileRequest {
        profile_id: "alice".to_owned(),
        ..Default::default()
    };
    app.erase_profile(erase).await.expect("an erasure");
    end(server).await;
    let list = deployment.data_dir().join("erasures.jsonl");
    let exported = command(&["erasures", "export"]);
    assert!(exported.contains(r#""app":"demo""#) && !exported.contains("alice"));
    fs::write(&list, exported).expect("a list");

    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{file}{suffix}"));
    }
    fs::rename(&backup, file).expect("a restored file");
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("a mode");
    let server = deployment.serve();
    let list = list.display().to_string();
    let known = async || {
        let erasure = sys::GetErasureRequest {
            profile_id: "alice".to_owned(),
        };
        server.system().get_erasure(erasure).await
    };
    assert_eq!(known().await.expect_err("none").code(), Code::NotFound);
    for begun in [1, 0] {
        let repeated = command(&["erasures", "repeat", &list]);
        let expected = format!("erasures begun {begun}, over ");
        assert!(repeated.starts_with(&expected), "{repeated}");
    }
    assert!(
        known()
            .await
            .expect("an erasure")
            .into_inner()
            .request_time
            .is_some()
    );
    end(server).await;
    deployment.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_data_folder_with_a_new_epoch_loses_no_change() {
    let (cluster, deployment) = cluster().await;
    let server = deployment.serve();
    let cursors = live(&server, async || block_in_place(|| cluster.back_up())).await;
    end(server).await;
    block_in_place(|| cluster.put_back());
    was_put_back(&deployment, &cursors).await;
    let _ = deployment.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_replica_notices_a_recovery() {
    let (cluster, deployment) = cluster().await;
    let server = deployment.serve();
    let cursors = live(&server, async || block_in_place(|| cluster.back_up())).await;
    block_in_place(|| cluster.recover());
    let promoted = Instant::now();
    until_promoted(&deployment).await;
    while !is_told(&server, &cursors.before).await {
        assert!(promoted.elapsed() < IN_TIME, "{}", server.log());
        sleep(PAUSE).await;
    }
    let took = promoted.elapsed();
    assert!(!gears::second() || took < NOTICED_WITHIN, "{took:?}");
    coverage::print(&format!(
        "recovered from a copy: a replica that ran on noticed after {} ms",
        took.as_millis()
    ));
    let again = deployment.serve();
    for server in [&server, &again] {
        for cursor in [&cursors.before, &cursors.after] {
            assert_eq!(backlog(server, cursor).await, resync("EPOCH_CHANGED"));
        }
    }
    end(server).await;
    end(again).await;
    let _ = deployment.verify();
}

/// A server that may be stopped, and what runs on it.
async fn cluster() -> (Cluster, Deployment) {
    let cluster = Cluster::private();
    let database = cluster.server().database().await;
    let deployment = Deployment::at(
        DatabaseKind::Postgres.into(),
        TestDatabase::Postgres(database),
    );
    (cluster, deployment)
}

/// Waits until the recovery is over and the database accepts writes.
async fn until_promoted(deployment: &Deployment) {
    let connection = PgConnection::connect(&deployment.database().url()).await;
    let mut connection = connection.expect("a connection");
    loop {
        let recovers = sqlx::query_scalar("SELECT pg_is_in_recovery()");
        let recovers: bool = recovers
            .fetch_one(&mut connection)
            .await
            .expect("an answer");
        if !recovers {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// True if a poll with the cursor yields a resync for a changed epoch.
async fn is_told(server: &ServerProcess, cursor: &str) -> bool {
    let request = v1::GetChangesRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    let mut bob = server.messaging(&server.tokens.bob);
    let Ok(answer) = bob.get_changes(request).await else {
        // It has just lost its connections.
        return false;
    };
    let mut frames = answer.into_inner().events.into_iter();
    let epoch_changed = v1::ResyncReason::EpochChanged;
    matches!(
        frames.next().and_then(|event| event.frame),
        Some(Frame::Resync(resync)) if resync.reason() == epoch_changed
    )
}
