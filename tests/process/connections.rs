//! Connections of strangers who make no calls.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use proto::v1;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestEnvironment as _};

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
    drop(streams);
    while !answers(&server).await {
        tokio::task::yield_now().await;
    }
    deployment.end(true).await;
}
