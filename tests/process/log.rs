//! The log of a service that nobody reads.

use proto::v1;
use support::http;
use support::process::Deployment;
use support::store::{DatabaseKind, TestEnvironment as _};
use tonic::Code;

/// Refused calls, each with a line in the log: several times what a pipe holds.
const REFUSED: usize = 1_000;

#[tokio::test]
async fn an_unread_log_stops_neither_calls_nor_probes_nor_the_drain() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    server.leave_log_unread();
    let mut stranger = server.messaging("no token");
    for _ in 0..REFUSED {
        let counts = stranger.get_message_counts(v1::GetMessageCountsRequest {});
        let refused = counts.await.expect_err("a refusal");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let mut alice = server.messaging(&server.tokens.alice);
    let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect("counts");
    assert_eq!(http::get(server.operations, "/livez").0, 200);
    assert_eq!(http::get(server.operations, "/readyz").0, 200);
    server.terminate();
    assert!(server.ended().await.success());
    deployment.end(true).await;
}
