//! Drain of the service after a signal.

use std::pin::pin;

use futures::future::join_all;
use futures::stream;
use proto::sys::v1 as sys;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::v1;
use sqlx::Connection as _;
use support::boxes;
use support::http;
use support::on_each_database;
use support::process::{Deployment, ServerProcess, UserClient};
use support::store::{DatabaseKind, TestEnvironment as _};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::api::builders::{news, text};
use crate::conformance::fixture::IN_TIME;

/// Exit code after a second signal.
const ENDED_AT_ONCE: i32 = 130;
/// Concurrent sends on one connection, below its limit of streams.
const SENDS: u32 = 64;
/// Recipients of a job that takes longer than the drain.
const JOB_RECIPIENTS: usize = 1_000;

async fn a_terminated_service_finishes_its_calls_and_exits_with_0(deployment: &Deployment) {
    let server = deployment.serve();
    let alice = server.messaging(&server.tokens.alice);
    let sends: Vec<_> = (0..SENDS)
        .map(|number| tokio::spawn(send(alice.clone(), number)))
        .collect();
    // Sent on the same connection after the other calls.
    let mut last = alice.clone();
    last.get_message_counts(v1::GetMessageCountsRequest {})
        .await
        .expect("counts");
    server.terminate();
    let ended = tokio::spawn(server.ended());
    for sent in join_all(sends).await {
        sent.expect("a task")
            .expect("a call that was under way, and is finished");
    }
    assert!(ended.await.expect("a task").success());

    let again = deployment.serve();
    let mut bob = again.messaging(&again.tokens.bob);
    let counts = bob
        .get_message_counts(v1::GetMessageCountsRequest {})
        .await
        .expect("counts");
    assert_eq!(
        boxes::named(&counts.into_inner().boxes, "inbox").total,
        SENDS
    );
    again.terminate();
    assert!(again.ended().await.success());
}

async fn a_drain_in_the_middle_of_a_job_logs_no_warning(deployment: &Deployment) {
    let server = deployment.serve();
    let message = sys::SegmentMessage {
        content: Some(text("to many")),
        sender: Some(news()),
        ..Default::default()
    };
    let profile_ids = (0..JOB_RECIPIENTS).map(|number| format!("owner{number}"));
    let recipients = sys::SegmentRecipients {
        profile_ids: profile_ids.collect(),
    };
    let pieces = [Piece::Message(message), Piece::Recipients(recipients)];
    let pieces = pieces.map(|piece| sys::SendToProfilesRequest { piece: Some(piece) });
    let mut app = server.system();
    let sent = app.send_to_profiles(stream::iter(pieces)).await;
    let job_id = sent.expect("a job").into_inner().job_id;
    let delivered = async {
        loop {
            let job_id = job_id.clone();
            let job = app.get_send_job(sys::GetSendJobRequest { job_id }).await;
            let counts = job.expect("a job").into_inner().counts;
            if counts.expect("counts").delivered > 0 {
                break;
            }
        }
    };
    timeout(IN_TIME, delivered).await.expect("a delivery");
    server.terminate();
    // Off the runtime, which closes the connection meanwhile.
    let ended = spawn_blocking(move || {
        server.wait_for_log("drain.done");
        server
    });
    let server = ended.await.expect("an end");
    let log = server.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn a_second_signal_ends_a_draining_service_at_once() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    send(alice.clone(), 0).await.expect("a message");
    let held = deployment.hold_writers().await;
    let mut stuck = pin!(send(alice.clone(), 1));
    assert!(futures::poll!(&mut stuck).is_pending());
    // Sent on the same connection after the other call.
    let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect("counts");

    server.terminate();
    server.wait_for_log("drain.begun");
    server.terminate();
    server.wait_for_log("drain.aborted");
    assert!(!server.log().contains("drain.done"), "{}", server.log());
    assert_eq!(server.ended().await.code(), Some(ENDED_AT_ONCE));
    stuck.await.expect_err("a call that was cut");
    held.close().await.expect("an end");
    deployment.end(true).await;
}

#[tokio::test]
async fn an_announced_drain_is_not_ready_and_still_serves() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let mut start = deployment.start();
    // Longer than the test, which ends it by a second signal.
    let delay = ("POSTROOM_DRAIN__DELAY_SECONDS", "300".to_owned());
    start.variables.push(delay);
    let server = ServerProcess::start(&start);
    assert_eq!(http::get(server.operations, "/readyz").0, 200);
    server.terminate();
    server.wait_for_log("drain.announced");
    let (status, said) = http::get(server.operations, "/readyz");
    assert_eq!((status, said.contains("draining")), (503, true), "{said}");
    assert_eq!(health(&server).await, ServingStatus::NotServing);
    // By a new connection.
    let newcomer = server.messaging(&server.tokens.alice);
    send(newcomer, 0).await.expect("a message");
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(ENDED_AT_ONCE));
    deployment.end(true).await;
}

/// Health of `Messaging`, as a load balancer asks for it.
async fn health(server: &ServerProcess) -> ServingStatus {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.user));
    let channel = endpoint.expect("an address").connect_lazy();
    let request = HealthCheckRequest {
        service: "postroom.v1.Messaging".to_owned(),
    };
    let checked = HealthClient::new(channel).check(request).await;
    checked.expect("a status").into_inner().status()
}

async fn send(mut alice: UserClient, number: u32) -> Result<(), Status> {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: format!("message {number}"),
        ..Default::default()
    };
    alice.send_message_simple(request).await.map(drop)
}

on_each_database![
    a_terminated_service_finishes_its_calls_and_exits_with_0,
    a_drain_in_the_middle_of_a_job_logs_no_warning,
];
