//! Connections of strangers who make no calls, or calls and frames without end.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::http;
use support::process::{Deployment, ServerProcess, UserClient};
use support::store::{DatabaseKind, TestEnvironment as _};
use tonic::{Code, Request};

use super::metrics::value;
use crate::api::builders;

/// HTTP/2 preface and empty SETTINGS.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A connection that is open and makes no calls. Its greeting was answered.
fn idle_connection(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(GREETING).expect("written");
    stream
        .read_exact(&mut [0])
        .expect("SETTINGS of the service");
    stream
}

fn serve(deployment: &Deployment, limit: &'static str, value: usize) -> ServerProcess {
    let mut start = deployment.start();
    start.variables.push((limit, value.to_string()));
    ServerProcess::start(&start)
}

async fn answers(server: &ServerProcess) -> bool {
    let mut alice = server.messaging(&server.tokens.alice);
    let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.is_ok()
}

#[tokio::test]
async fn idle_connections_give_way_to_another_one() {
    const CONNECTIONS: usize = 5;
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = serve(&deployment, "POSTROOM_LIMITS__CONNECTIONS", CONNECTIONS);
    let user = server.user;
    let idle: Vec<_> = (0..CONNECTIONS).map(|_| idle_connection(user)).collect();
    assert!(answers(&server).await);
    drop(idle);
    deployment.end(true).await;
}

#[tokio::test]
async fn connections_of_one_address_beyond_its_limit_are_closed() {
    const CONNECTIONS: usize = 2;
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let limit = "POSTROOM_LIMITS__CONNECTIONS_PER_ADDRESS";
    let server = serve(&deployment, limit, CONNECTIONS);
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut alice = server.messaging(&server.tokens.alice);
        let stream = alice.subscribe(v1::SubscribeRequest::default()).await;
        streams.push(stream.expect("a stream"));
    }
    assert!(!answers(&server).await);
    assert!(ended(&server, "address_limit") > Some(0.0));
    drop(streams);
    while !answers(&server).await {
        tokio::task::yield_now().await;
    }
    deployment.end(true).await;
}

/// Connections that were ended for a reason.
fn ended(server: &ServerProcess, reason: &str) -> Option<f64> {
    let metrics = http::get(server.operations, "/metrics").1;
    value(&metrics, "postroom_connection_ended_total", reason)
}

const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
/// PING with any payload.
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingping";

/// A call that is refused, whole in one frame: a POST to / without a type of content.
fn refused_call(stream: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 6, HEADERS, 5];
    frame.extend(stream.to_be_bytes());
    frame.extend([0x83, 0x86, 0x84, 0x41, 1, b'x']);
    frame
}

/// Reads a frame, and returns its kind and stream.
fn frame(stream: &mut TcpStream) -> io::Result<(u8, u32)> {
    let mut header = [0; 9];
    stream.read_exact(&mut header)?;
    let [high, middle, low, kind, _, id @ ..] = header;
    let length = u32::from_be_bytes([0, high, middle, low]);
    stream.read_exact(&mut vec![0; length as usize])?;
    Ok((kind, u32::from_be_bytes(id)))
}

/// Makes a call that is refused, and returns whether the peer was told to leave before the answer.
fn refuse(connection: &mut TcpStream, stream: u32) -> io::Result<bool> {
    connection.write_all(&refused_call(stream))?;
    let mut is_told = false;
    loop {
        match frame(connection)? {
            (HEADERS, answered) if answered == stream => return Ok(is_told),
            (kind, _) => is_told |= kind == GOAWAY,
        }
    }
}

#[tokio::test]
async fn a_connection_with_refused_calls_in_a_row_is_ended() {
    const MOST: usize = 2_000;
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut connection = TcpStream::connect(server.user).expect("a connection");
    connection.write_all(GREETING).expect("written");
    let calls = (1..).step_by(2).take(MOST);
    let answered: Vec<bool> = calls
        .map_while(|stream| refuse(&mut connection, stream).ok())
        .collect();
    let told = answered.iter().position(|is_told| *is_told);
    assert!((99..110).contains(&told.expect("a notice")), "{told:?}");
    assert!(
        (990..=1_000).contains(&answered.len()),
        "{}",
        answered.len()
    );
    assert_eq!(ended(&server, "refusals"), Some(1.0));
    deployment.end(true).await;
}

#[tokio::test]
async fn a_flood_of_pings_ends_its_connection_only() {
    const GROUPS: usize = 10_000;
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut writer = TcpStream::connect(server.user).expect("a connection");
    writer.write_all(GREETING).expect("written");
    let mut reader = writer.try_clone().expect("a second handle");
    let reads = thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
    let pings = PING.repeat(100);
    let is_cut = (0..GROUPS).any(|_| writer.write_all(&pings).is_err());
    assert!(is_cut, "{GROUPS} groups were written");
    let _ = reads.join();
    assert!(answers(&server).await);
    assert_eq!(ended(&server, "flood"), Some(1.0));
    deployment.end(true).await;
}

/// Calls alice's counts, and gives up before they come. Nothing else may end a call.
async fn give_up(mut alice: UserClient, calls: usize) {
    for _ in 0..calls {
        let mut request = Request::new(v1::GetMessageCountsRequest {});
        request.set_timeout(Duration::from_micros(500));
        let Err(status) = alice.get_message_counts(request).await else {
            continue;
        };
        let code = status.code();
        let ends = [
            Code::Cancelled,
            Code::DeadlineExceeded,
            Code::ResourceExhausted,
        ];
        assert!(ends.contains(&code), "{status:?}");
    }
}

#[tokio::test]
async fn callers_that_give_up_leave_other_calls_of_their_channel_untouched() {
    const CALLERS: usize = 24;
    const CALLS: usize = 200;
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    let stream = alice.subscribe(v1::SubscribeRequest::default()).await;
    let mut stream = stream.expect("a stream").into_inner();
    join_all((0..CALLERS).map(|_| give_up(alice.clone(), CALLS))).await;
    let message = builders::message(&["alice"], builders::text("hello"));
    let mut bob = server.messaging(&server.tokens.bob);
    bob.send_message(message).await.expect("it is sent");
    loop {
        let response = stream.message().await.expect("no error").expect("a frame");
        if let Some(Frame::MessageReceived(_)) = response.event.and_then(|event| event.frame) {
            break;
        }
    }
    deployment.end(true).await;
}
