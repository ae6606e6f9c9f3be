//! Memory of streams whose readers take nothing.

use std::fs;
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::messaging_client::MessagingClient;
use serde_json::{Value, json};
use support::process::{Deployment, ServerProcess, UserClient};
use support::service::Bearer;
use support::{coverage, on_each_database};
use tonic::Streaming;
use tonic::transport::Endpoint;

use crate::api::builders;

/// Streams of a profile: as many as it may have.
const STREAMS_EACH: usize = 20;
/// Objects in a message: as many as a content may have. Each has a few bytes, and hundreds when
/// decoded.
const OBJECTS: usize = 499;
/// Messages: as many as the send buffer of a stream holds.
const MESSAGES: usize = 37;
/// Time of a measurement, longer than reading everything takes.
const MEASURED: Duration = Duration::from_secs(4);
const STREAM_KIB_MAX: usize = 300;

async fn send_small_objects(server: &ServerProcess) {
    let mut alice = server.messaging(&server.tokens.alice);
    let content = builders::json(Value::from(vec![json!({ "a": true }); OBJECTS]));
    for _ in 0..MESSAGES {
        let request = builders::message(&["alice", "bob"], content.clone());
        builders::ok(alice.send_message(request)).await;
    }
}

/// A client with a flow-control window of zero.
fn that_takes_nothing(server: &ServerProcess, token: &str) -> UserClient {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.user));
    let endpoint = endpoint.expect("an address").initial_stream_window_size(0);
    MessagingClient::with_interceptor(endpoint.connect_lazy(), Bearer::new(token))
}

fn resident_kib(server: &ServerProcess) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse().ok()).expect("a size")
}

/// Opens [`STREAMS_EACH`] streams of one client from the start of its feed.
async fn follow(client: &UserClient) -> Vec<Streaming<v1::SubscribeResponse>> {
    let request = v1::SubscribeRequest {
        cursor: "0".to_owned(),
        ..Default::default()
    };
    let streams = [client; STREAMS_EACH].into_iter().map(|client| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { builders::ok(client.subscribe(request)).await }
    });
    join_all(streams).await
}

/// Peak memory of the service during [`MEASURED`], in KiB.
async fn most_kib(server: &ServerProcess) -> usize {
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < MEASURED {
        most = most.max(resident_kib(server));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    most
}

async fn a_stalled_reader_takes_bounded_memory(deployment: &Deployment) {
    let server = deployment.serve();
    send_small_objects(&server).await;
    // The first ones also cost what reading itself takes, however many read.
    let alice = that_takes_nothing(&server, &server.tokens.alice);
    let others = follow(&alice).await;
    let before = most_kib(&server).await;
    let bob = that_takes_nothing(&server, &server.tokens.bob);
    let streams = follow(&bob).await;
    let each = most_kib(&server).await.saturating_sub(before) / streams.len();
    coverage::print(&format!(
        "{} streams with closed windows beside {}: {each} KiB each",
        streams.len(),
        others.len()
    ));
    assert!(each <= STREAM_KIB_MAX, "{each} KiB");
}

on_each_database![
    #[ignore = "second gear: measures memory"]
    a_stalled_reader_takes_bounded_memory,
];
