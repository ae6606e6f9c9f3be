//! Probes and metrics.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::time::{Duration, Instant};

use proto::v1;
use sqlx::Connection as _;
use support::boxes;
use support::command::output;
use support::issuer::APP;
use support::postgres::Cluster;
use support::process::{Deployment, ServerProcess, StartOptions};
use support::store::{DatabaseKind, TestEnvironment as _};
use support::{http, on_each_database, temp_folder::TempFolder};
use tonic::Code;

use super::metrics::value;
use crate::conformance::fixture::IN_TIME;

/// Maximum age of an answer to a readiness probe.
const READY_AGE_MAX: Duration = Duration::from_millis(500);
/// Time between two reads of a probe.
const PAUSE: Duration = Duration::from_millis(20);

fn send() -> v1::SendMessageSimpleRequest {
    v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "hello".to_owned(),
        ..Default::default()
    }
}

async fn probes_and_metrics_answer(deployment: &Deployment) {
    let server = deployment.serve();
    for (path, body) in [
        ("/livez", "live"),
        ("/readyz", "ready"),
        ("/metrics", "# TYPE"),
    ] {
        let (status, said) = http::get(server.operations, path);
        assert_eq!(status, 200, "{path}");
        assert!(said.contains(body), "{path}: {said}");
    }
    assert_eq!(http::get(server.operations, "/none").0, 404);
}

/// Statements of readiness so far.
fn statements(server: &ServerProcess) -> f64 {
    let metrics = http::get(server.operations, "/metrics").1;
    let name = "db_client_operation_duration_seconds_count";
    value(&metrics, name, "server.ping").unwrap_or_default()
}

async fn many_probes_cause_few_statements(deployment: &Deployment) {
    const PROBES: usize = 200;
    let server = deployment.serve();
    let (before, began) = (statements(&server), Instant::now());
    for _ in 0..PROBES {
        assert_eq!(http::get(server.operations, "/readyz").0, 200);
    }
    let ages = began.elapsed().as_secs_f64() / READY_AGE_MAX.as_secs_f64();
    let caused = statements(&server) - before;
    assert!(
        (1.0..=ages + 2.0).contains(&caused),
        "{caused} in {ages} ages"
    );
}

on_each_database![probes_and_metrics_answer, many_probes_cause_few_statements,];

#[tokio::test]
async fn a_long_write_leaves_the_service_ready() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    alice.send_message_simple(send()).await.expect("a message");
    let held = deployment.hold_writers().await;
    let mut writer = alice.clone();
    let mut write = pin!(writer.send_message_simple(send()));
    assert!(futures::poll!(&mut write).is_pending());
    // Sent on the same connection after the write, which has begun long before the last of
    // these.
    for _ in 0..20 {
        let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
        counts.await.expect("counts");
    }
    assert_eq!(http::get(server.operations, "/readyz").0, 200);
    assert_eq!(http::get(server.operations, "/livez").0, 200);
    assert!(futures::poll!(&mut write).is_pending());
    held.close().await.expect("an end");
    write.await.expect("a message");
    deployment.end(true).await;
}

#[tokio::test]
async fn a_long_write_of_another_process_leaves_the_service_ready() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    alice.send_message_simple(send()).await.expect("a message");
    let held = deployment.hold_writers().await;
    for _ in 0..3 {
        assert_eq!(http::get(server.operations, "/readyz").0, 200);
    }
    held.close().await.expect("an end");
    alice.send_message_simple(send()).await.expect("a message");
    deployment.end(true).await;
}

/// Polls the probe until it answers with a status.
async fn readiness_becomes(server: &ServerProcess, status: u16) {
    let polls = async {
        while http::get(server.operations, "/readyz").0 != status {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let polled = tokio::time::timeout(IN_TIME, polls).await;
    assert!(polled.is_ok(), "not {status}: {}", server.log());
}

#[tokio::test]
async fn a_service_recovers_from_the_loss_of_its_database() {
    let cluster = Cluster::private();
    let database = cluster.server().database().await;
    let folder = TempFolder::new();
    let server = ServerProcess::start(&StartOptions {
        data_dir: folder.path().to_owned(),
        database_url: Some(database.url.clone()),
        ..StartOptions::default()
    });
    let mut alice = server.messaging(&server.tokens.alice);
    alice.send_message_simple(send()).await.expect("a message");

    cluster.crash();
    readiness_becomes(&server, 503).await;
    assert_eq!(http::get(server.operations, "/livez").0, 200);
    let refused = alice
        .send_message_simple(send())
        .await
        .expect_err("a refusal");
    assert_eq!(
        refused.code(),
        Code::Unavailable,
        "{refused:?} of app {APP}"
    );

    cluster.restart();
    readiness_becomes(&server, 200).await;
    alice.send_message_simple(send()).await.expect("a message");
    let mut bob = server.messaging(&server.tokens.bob);
    let counts = bob
        .get_message_counts(v1::GetMessageCountsRequest {})
        .await
        .expect("counts");
    assert_eq!(boxes::named(&counts.into_inner().boxes, "inbox").total, 2);
}

#[tokio::test]
async fn a_service_waits_for_its_database_at_the_start() {
    let cluster = Cluster::private();
    let database = cluster.server().database().await;
    let folder = TempFolder::new();
    let operations = free_address();
    cluster.crash();
    let start = StartOptions {
        data_dir: folder.path().to_owned(),
        database_url: Some(database.url.clone()),
        arguments: vec!["--operations-address".to_owned(), operations.to_string()],
        ..StartOptions::default()
    };
    let starting = tokio::task::spawn_blocking(move || ServerProcess::start(&start));
    probe_becomes(operations, "/livez", 200).await;
    let (status, said) = http::get(operations, "/readyz");
    assert_eq!((status, said.contains("starting")), (503, true), "{said}");

    cluster.restart();
    let server = starting.await.expect("a service");
    readiness_becomes(&server, 200).await;
    let mut alice = server.messaging(&server.tokens.alice);
    alice.send_message_simple(send()).await.expect("a message");
}

/// An address that is free for now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// Polls a probe of a service that may not listen yet, until it answers with a status.
async fn probe_becomes(operations: SocketAddr, path: &str, status: u16) {
    let polls = async {
        while TcpStream::connect(operations).is_err() || http::get(operations, path).0 != status {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(IN_TIME, polls).await.expect(path);
}

#[tokio::test]
async fn a_removed_database_file_ends_readiness_and_calls() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    alice.send_message_simple(send()).await.expect("a message");
    let url = deployment.database().url();
    let file = url.strip_prefix("sqlite:").expect("a file");
    let elsewhere = format!("{file}.elsewhere");
    fs::rename(file, &elsewhere).expect("a move");

    readiness_becomes(&server, 503).await;
    let refused = alice.send_message_simple(send()).await;
    assert_eq!(refused.expect_err("a refusal").code(), Code::Unavailable);

    fs::rename(&elsewhere, file).expect("a move back");
    readiness_becomes(&server, 200).await;
    alice.send_message_simple(send()).await.expect("a message");
    deployment.end(true).await;
}

#[tokio::test]
async fn a_database_file_serves_one_process_at_a_time() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let first = deployment.serve();
    let second = output(&mut ServerProcess::command(&deployment.start()));
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("one process at a time"), "{said}");

    // Commands that only read are let in.
    let _ = deployment.verify();
    first.kill();
    let _ = deployment.serve();
    deployment.end(true).await;
}
