//! What those cost who follow a mailbox and take nothing.

use std::fs;
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::messaging_client::MessagingClient;
use serde_json::{Value, json};
use support::process::{Home, Server, UserClient};
use support::service::Bearer;
use support::{coverage, on_each_database};
use tonic::Streaming;
use tonic::transport::Endpoint;

use crate::api::words;

/// As many as one profile may have.
const STREAMS_EACH: usize = 20;
/// Objects of a message: as many as a content may have, each of a few bytes and, decoded, of
/// hundreds.
const OBJECTS: usize = 499;
/// Messages: just what may wait for one reader, as they are stored.
const MESSAGES: usize = 37;
/// For how long it is measured: longer than it takes to read all.
const MEASURED: Duration = Duration::from_secs(4);
const STREAM_KIB_MAX: usize = 300;

async fn send_small_objects(server: &Server) {
    let mut alice = server.messaging(&server.tokens.alice);
    let content = words::json(Value::from(vec![json!({ "a": true }); OBJECTS]));
    for _ in 0..MESSAGES {
        let request = words::message(&["alice", "bob"], content.clone());
        words::ok(alice.send_message(request)).await;
    }
}

/// A client that never lets the service send it anything.
fn that_takes_nothing(server: &Server, token: &str) -> UserClient {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.user));
    let endpoint = endpoint.expect("an address").initial_stream_window_size(0);
    MessagingClient::with_interceptor(endpoint.connect_lazy(), Bearer::new(token))
}

fn resident_kib(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse().ok()).expect("a size")
}

/// As many streams of one client as it may have, on all that there is.
async fn follow(client: &UserClient) -> Vec<Streaming<v1::SubscribeResponse>> {
    let request = v1::SubscribeRequest {
        cursor: "0".to_owned(),
        ..Default::default()
    };
    let streams = [client; STREAMS_EACH].into_iter().map(|client| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { words::ok(client.subscribe(request)).await }
    });
    join_all(streams).await
}

/// What the service takes at the most, in a while.
async fn most_kib(server: &Server) -> usize {
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < MEASURED {
        most = most.max(resident_kib(server));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    most
}

async fn a_reader_that_takes_nothing_costs_a_bounded_amount(home: &Home) {
    let server = home.serve();
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
    a_reader_that_takes_nothing_costs_a_bounded_amount,
];
