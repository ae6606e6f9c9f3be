mod floods;

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
use crate::serve::connections::Connections;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// HEADERS with neither a payload nor an end.
const OPEN_HEADERS: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 1];
const CALL: Duration = Duration::from_secs(4);
/// Time that a drain gives to open calls.
const CALLS_END: Duration = Duration::from_secs(10);
/// Maximum number of open calls of the connection.
const STREAMS_MAX: u32 = 100;
/// Header block of a call: POST, http, and an authority and path that matter to nobody.
const CALL_HEADERS: &[u8] = &[0x83, 0x86, 0x84, 0x41, 0x01, b'x'];
/// Headers and end of a stream, in the flags of a HEADERS frame.
const END_HEADERS: u8 = 4;

/// Opens a connection to a service that answers every call with `FAILED_PRECONDITION` after
/// `call`.
fn connect(drain: &Drain, call: Duration) -> (DuplexStream, JoinHandle<Instant>) {
    connect_to(&Connections::new(0), drain, call)
}

/// Opens a connection among others.
fn connect_to(
    connections: &Connections,
    drain: &Drain,
    call: Duration,
) -> (DuplexStream, JoinHandle<Instant>) {
    let answer = move |_: Request<Body>| async move {
        sleep(call).await;
        Ok::<_, Infallible>(Status::failed_precondition("answered").into_http())
    };
    let service = BoxCloneSyncService::new(service_fn(answer));
    connect_serving(service, connections, drain)
}

/// Opens a connection to a service, among others.
fn connect_serving(
    service: GrpcService,
    connections: &Connections,
    drain: &Drain,
) -> (DuplexStream, JoinHandle<Instant>) {
    let options = ConnectionOptions {
        tls: None,
        client_scopes: None,
        streams_max: STREAMS_MAX,
        service,
        drain: drain.clone(),
        metrics: ConnectionMetrics::new(),
    };
    let (client, server) = duplex(64 * 1024);
    let peer = TcpConnectInfo {
        local_addr: None,
        remote_addr: None,
    };
    let held = drain.hold();
    let guard = connections.open(([192, 0, 2, 1], 4711).into());
    let guard = guard.expect("a connection");
    let ended = tokio::spawn(async move {
        options.serve_http2(server, peer, None, guard).await;
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
    channel_of(Endpoint::from_static("http://postroom"), stream).await
}

async fn channel_of(endpoint: Endpoint, stream: DuplexStream) -> Channel {
    let mut stream = Some(stream);
    let connector = service_fn(move |_: Uri| {
        let stream = stream
            .take()
            .ok_or_else(|| io::Error::other("one connection only"));
        async move { stream.map(TokioIo::new) }
    });
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
    let (mut client, ended) = connect(&Drain::default(), Duration::from_mins(10));
    client
        .write_all(&[PREFACE, SETTINGS, &open_call(1)].concat())
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
    assert!(drain.run(CALLS_END).await, "all calls ended by themselves");

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
    assert!(!drain.run(CALLS_END).await, "a call was cut");

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
    drain.run(CALLS_END).await;

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
    drain.run(CALLS_END).await;

    assert_eq!(seconds_until(ended, start).await, 0);
}

/// HEADERS of a call.
fn open_call(stream: u32) -> Vec<u8> {
    let length = u8::try_from(CALL_HEADERS.len()).expect("a short block");
    let mut frame = vec![0, 0, length, 1, END_HEADERS];
    frame.extend(stream.to_be_bytes());
    frame.extend(CALL_HEADERS);
    frame
}

/// HEADERS of a call, and the end of the caller's interest in it.
fn abandoned_call(stream: u32) -> Vec<u8> {
    let mut frames = open_call(stream);
    // RST_STREAM with CANCEL.
    frames.extend([0, 0, 4, 3, 0]);
    frames.extend(stream.to_be_bytes());
    frames.extend(8_u32.to_be_bytes());
    frames
}

#[tokio::test(start_paused = true)]
async fn a_connection_survives_the_cancellation_of_all_its_calls() {
    let (mut client, ended) = connect(&Drain::default(), CALL);
    let mut written = [PREFACE, SETTINGS].concat();
    for call in 0..STREAMS_MAX {
        written.extend(abandoned_call(2 * call + 1));
    }
    client.write_all(&written).await.expect("written");
    sleep(Duration::from_secs(1)).await;
    assert!(!ended.is_finished());
}

/// Seconds from the end of a call of a polite client, or from the beginning if it makes none, to the
/// end of its connection.
async fn seconds_of_a_polite_client(calls: bool) -> u64 {
    let (client, ended) = connect(&Drain::default(), Duration::ZERO);
    let channel = channel(client).await;
    if calls {
        assert_eq!(
            call(&channel).await.expect("no panic"),
            Code::FailedPrecondition
        );
    }
    seconds_until(ended, Instant::now()).await
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_calls_is_told_to_leave() {
    let never = seconds_of_a_polite_client(false).await;
    assert!((10..=12).contains(&never), "{never}");
    let no_more = seconds_of_a_polite_client(true).await;
    assert!((300..=302).contains(&no_more), "{no_more}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_leave_is_disconnected() {
    let start = Instant::now();
    let (mut client, ended) = connect(&Drain::default(), CALL);
    client
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .expect("written");
    let seconds = seconds_until(ended, start).await;
    assert!((20..=22).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_told_to_leave_after_its_calls() {
    let start = Instant::now();
    let (client, ended) = connect(&Drain::default(), Duration::from_mins(90));
    let channel = channel(client).await;
    let long = call(&channel);
    let code = long.await.expect("no panic");
    assert_eq!(code, Code::FailedPrecondition);
    let seconds = seconds_until(ended, start).await;
    assert!((5_400..=5_402).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_gives_way_finishes_a_call_that_has_just_begun() {
    let connections = Connections::new(0);
    let (client, ended) = connect_to(&connections, &Drain::default(), Duration::from_millis(100));
    let channel = channel(client).await;
    let just_begun = call(&channel);
    sleep(Duration::from_millis(10)).await;
    let start = Instant::now();
    connections.close_idlest();
    let code = just_begun.await.expect("no panic");
    assert_eq!(code, Code::FailedPrecondition);
    assert_eq!(seconds_until(ended, start).await, 0);
}
