//! The log of the real program.

use proto::v1;
use support::http;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestEnvironment as _};
use tonic::{Code, Request};

use crate::api::builders;

/// Calls, each with a line in the log: several times what a pipe holds.
const CALLS: usize = 1_000;
/// Refused calls of a stranger.
const REFUSED: usize = 50;
/// Key of the pseudonyms, in hexadecimal digits.
const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";
/// Trace of a call.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Number of lines of the log that contain a text.
fn lines(server: &ServerProcess, text: &str) -> usize {
    server
        .log()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}

#[tokio::test]
async fn an_unread_log_stops_neither_calls_nor_probes_nor_the_drain() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    server.leave_log_unread();
    let mut alice = server.messaging(&server.tokens.alice);
    for _ in 0..CALLS {
        let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
        counts.await.expect("counts");
    }
    assert_eq!(http::get(server.operations, "/livez").0, 200);
    assert_eq!(http::get(server.operations, "/readyz").0, 200);
    server.terminate();
    assert!(server.ended().await.success());
    deployment.end(true).await;
}

#[tokio::test]
async fn a_line_tells_caller_request_and_trace_by_pseudonyms() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let mut start = deployment.start();
    let key = ("POSTROOM_LOG__PSEUDONYM_KEY", KEY.to_owned());
    start.variables.push(key);
    let server = ServerProcess::start(&start);
    let mut alice = server.messaging(&server.tokens.alice);
    let mut request = Request::new(v1::SendMessageRequest {
        request_id: "canary-request".to_owned(),
        ..builders::message(&["canary-bob"], builders::text("canary-text"))
    });
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let parent = parent.parse().expect("a header");
    request.metadata_mut().insert("traceparent", parent);
    alice.send_message(request).await.expect("it is sent");
    server.wait_for_log(TRACE);
    let pseudonym = |name: &str| {
        let hash = blake3::keyed_hash(&[7; 32], name.as_bytes()).to_hex();
        hash[..32].to_owned()
    };
    let app = "demo";
    for expected in [
        pseudonym(&format!("{app}\0alice")),
        pseudonym(&format!("{app}\0alice\0canary-request")),
        r#""issuer.iss":""#.to_owned(),
        r#""issuer.kid":""#.to_owned(),
        r#""client.address":"127.0.0.1""#.to_owned(),
    ] {
        server.wait_for_log(&expected);
    }
    for hidden in ["canary", "Alice", "alice", "eyJ"] {
        let line = server
            .log()
            .lines()
            .find(|it| it.contains(TRACE))
            .map(str::to_owned);
        assert!(!line.expect("a line").contains(hidden), "{hidden}");
    }
    deployment.end(true).await;
}

#[tokio::test]
async fn the_refusals_of_a_stranger_are_counted_and_logged_as_one_line() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut stranger = server.messaging("a.b.c");
    for _ in 0..REFUSED {
        let counts = stranger.get_message_counts(v1::GetMessageCountsRequest {});
        let refused = counts.await.expect_err("a refusal");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let metrics = http::get(server.operations, "/metrics").1;
    let series = metrics.lines().find(|line| {
        line.starts_with("postroom_token_refused_total") && line.contains("\"malformed\"")
    });
    let series = series.expect("a series");
    assert!(series.ends_with(&format!(" {REFUSED}")), "{series}");
    server.wait_for_log("UNAUTHENTICATED");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("UNAUTHENTICATED"));
    let line = line.expect("a line");
    for told in [
        r#""error.reason":"CREDENTIALS_INVALID""#,
        r#""error.source":"malformed""#,
        r#""client.address":"127.0.0.1""#,
    ] {
        assert!(line.contains(told), "{told}: {line}");
    }
    // The end of the service ends the interval.
    server.terminate();
    server.wait_for_log("call.lines_suppressed");
    // Two if an interval has ended before.
    assert!(lines(&server, "UNAUTHENTICATED") <= 2, "{}", server.log());
    deployment.end(true).await;
}
