use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http::{Request, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// HEADERS with neither a payload nor an end.
const OPEN_HEADERS: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 1];
const CALL: Duration = Duration::from_secs(4);

/// Opens a connection to a service that answers every call with `FAILED_PRECONDITION` after
/// `call`.
fn connect(drain: &Drain, call: Duration) -> (DuplexStream, JoinHandle<Instant>) {
    let answer = move |_: Request<Body>| async move {
        sleep(call).await;
        Ok::<_, Infallible>(Status::failed_precondition("answered").into_http())
    };
    let options = ConnectionOptions {
        tls: None,
        streams_max: 100,
        service: BoxCloneSyncService::new(service_fn(answer)),
        drain: drain.clone(),
    };
    let (client, server) = duplex(64 * 1024);
    let peer = TcpConnectInfo {
        local_addr: None,
        remote_addr: None,
    };
    let held = drain.hold();
    let ended = tokio::spawn(async move {
        options.serve_http2(server, peer).await;
        drop(held);
        Instant::now()
    });
    (client, ended)
}

async fn seconds_until(ended: JoinHandle<Instant>, start: Instant) -> u64 {
    ended
        .await
        .expect("no panic")
        .duration_since(start)
        .as_secs()
}

async fn channel(stream: DuplexStream) -> Channel {
    let mut stream = Some(stream);
    let connector = service_fn(move |_: Uri| {
        let stream = stream
            .take()
            .ok_or_else(|| io::Error::other("one connection only"));
        async move { stream.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://postroom");
    endpoint
        .connect_with_connector(connector)
        .await
        .expect("a channel")
}

fn call(channel: &Channel) -> JoinHandle<Code> {
    let mut client = HealthClient::new(channel.clone());
    tokio::spawn(async move {
        let answer = client.check(HealthCheckRequest::default()).await;
        answer.expect_err("never OK").code()
    })
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_disconnected_after_ten_seconds() {
    let start = Instant::now();
    let (client, ended) = connect(&Drain::default(), CALL);
    assert_eq!(seconds_until(ended, start).await, 10);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_peer_with_an_endless_header_block_is_disconnected_after_ten_seconds() {
    let (mut client, ended) = connect(&Drain::default(), CALL);
    client
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .expect("written");
    sleep(Duration::from_secs(5)).await;
    let start = Instant::now();
    client.write_all(OPEN_HEADERS).await.expect("written");
    assert_eq!(seconds_until(ended, start).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_disconnected_after_the_keepalive_timeout() {
    let start = Instant::now();
    let (mut client, ended) = connect(&Drain::default(), CALL);
    client
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .expect("written");
    let seconds = seconds_until(ended, start).await;
    assert!((68..=93).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_long_call_is_answered() {
    let (client, _ended) = connect(&Drain::default(), Duration::from_secs(25));
    let channel = channel(client).await;
    assert_eq!(
        call(&channel).await.expect("no panic"),
        Code::FailedPrecondition
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_calls_and_not_for_idle_connections() {
    let drain = Drain::default();
    let (client, ended) = connect(&drain, CALL);
    let channel = channel(client).await;
    let in_progress = call(&channel);
    sleep(Duration::from_secs(1)).await;

    let start = Instant::now();
    assert!(drain.run().await, "all calls ended by themselves");

    assert_eq!(
        in_progress.await.expect("no panic"),
        Code::FailedPrecondition
    );
    assert_eq!(seconds_until(ended, start).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_calls_that_take_too_long() {
    let drain = Drain::default();
    let (client, ended) = connect(&drain, Duration::from_secs(29));
    let channel = channel(client).await;
    let in_progress = call(&channel);
    sleep(Duration::from_secs(1)).await;

    let start = Instant::now();
    assert!(!drain.run().await, "a call was cut");

    assert_eq!(in_progress.await.expect("no panic"), Code::Unavailable);
    assert_eq!(seconds_until(ended, start).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_drain_cuts_the_connection_of_a_peer_that_stays() {
    let drain = Drain::default();
    let (mut client, ended) = connect(&drain, CALL);
    client
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .expect("written");
    sleep(Duration::from_secs(1)).await;

    let start = Instant::now();
    drain.run().await;

    assert_eq!(seconds_until(ended, start).await, 11);
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.expect("an end");
    assert!(!received.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_silent_peer() {
    let drain = Drain::default();
    let (_client, ended) = connect(&drain, CALL);
    sleep(Duration::from_secs(1)).await;

    let start = Instant::now();
    drain.run().await;

    assert_eq!(seconds_until(ended, start).await, 0);
}
