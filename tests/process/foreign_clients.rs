//! Foreign clients against the real program. Those of the command line use reflection alone.

mod generated;
mod protos;
mod scripts;

use std::net::SocketAddr;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use support::command::run;
use support::on_each_database;
use support::process::{Deployment, ServerProcess};
use support::tools;

/// A foreign client of the command line.
trait Client {
    /// Returns the services that a listener reflects to the bearer of a token.
    fn list(&self, address: SocketAddr, token: &str) -> String;
    /// Returns the call of a method with a token and a request in JSON.
    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command;
}

struct Grpcurl;

impl Client for Grpcurl {
    fn list(&self, address: SocketAddr, token: &str) -> String {
        let mut grpcurl = Command::new(tools::grpcurl());
        grpcurl.args(["-plaintext", "-H", &authorization(token)]);
        run(grpcurl.args([&address.to_string(), "list"])).expect("a list")
    }

    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command {
        let mut grpcurl = Command::new(tools::grpcurl());
        grpcurl
            .args(["-plaintext", "-H", &authorization(token)])
            .args(["-d", &request.to_string(), &address.to_string(), method]);
        grpcurl
    }
}

struct BufCurl;

impl BufCurl {
    fn command() -> Command {
        let mut buf = Command::new(tools::buf());
        buf.args(["curl", "--protocol", "grpc", "--http2-prior-knowledge"]);
        buf
    }
}

impl Client for BufCurl {
    fn list(&self, address: SocketAddr, token: &str) -> String {
        let mut buf = Self::command();
        buf.args(["--reflect-header", &authorization(token)]);
        let url = format!("http://{address}");
        run(buf.args(["--list-services", &url])).expect("a list")
    }

    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command {
        let mut buf = Self::command();
        buf.args(["-H", &authorization(token), "--reflect-header", "*"])
            .args(["-d", &request.to_string()])
            .arg(format!("http://{address}/{method}"));
        buf
    }
}

/// Header with a token.
fn authorization(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// A client, and the service that it calls.
struct ClientSession<'a> {
    client: &'a dyn Client,
    server: &'a ServerProcess,
}

impl ClientSession<'_> {
    fn user(&self, token: &str, method: &str, request: &Value) -> Value {
        let method = format!("postroom.v1.Messaging/{method}");
        answer(self.client.call(self.server.user, &method, token, request))
    }

    fn sys(&self, method: &str, request: &Value) -> Value {
        let method = format!("postroom.sys.v1.Sys/{method}");
        answer(
            self.client
                .call(self.server.sys, &method, &self.server.tokens.sys, request),
        )
    }
}

fn answer(mut command: Command) -> Value {
    let text = run(&mut command).expect("an answer");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn lists_both_services(session: &ClientSession) {
    let (server, client) = (session.server, session.client);
    let (users, apps) = (
        client.list(server.user, ""),
        client.list(server.sys, &server.tokens.sys),
    );
    for common in [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(
            users.contains(common) && apps.contains(common),
            "{users}\n{apps}"
        );
    }
    assert!(users.contains("postroom.v1.Messaging") && !users.contains("postroom.sys.v1.Sys"));
    assert!(apps.contains("postroom.sys.v1.Sys") && !apps.contains("postroom.v1.Messaging"));
}

fn sends_pages_counts_marks_and_deletes(session: &ClientSession) {
    let (alice, bob) = (
        session.server.tokens.alice.as_str(),
        session.server.tokens.bob.as_str(),
    );
    let inbox = |message_ids: &[&Value]| json!({ "msgbox": "inbox", "messageIds": message_ids });
    let counts = || {
        let counts = session.user(bob, "GetMessageCounts", &json!({}));
        // Zeros are left out.
        ["total", "unread"].map(|name| counts["boxes"][0][name].as_u64().unwrap_or(0))
    };

    let hello =
        json!({ "to": ["bob"], "content": { "json": { "text": "hello", "n": [1, null] } } });
    let from_alice = &session.user(alice, "SendMessage", &hello)["messageId"];
    let welcome = json!({ "to": ["bob"], "text": "welcome", "sender": { "name": "The game" } });
    let from_app = &session.sys("SendMessageSimple", &welcome)["messageId"];
    assert_eq!(counts(), [2, 2]);

    let newest_first = json!({ "context": { "search_criteria": { "msgbox": "inbox" } } });
    let page = session.user(bob, "GetMessagesPage", &newest_first);
    let items = &page["results"]["items"];
    assert_eq!(
        [&items[0]["messageId"], &items[1]["messageId"]],
        [from_app, from_alice]
    );
    assert_eq!(items[0]["message"]["sender"], json!({ "name": "The game" }));
    assert_eq!(items[1]["message"]["content"], hello["content"]);

    let marked = session.user(bob, "MarkMessagesRead", &inbox(&[from_alice, from_app]));
    assert_eq!(marked, json!({ "requested": 2, "actual": 2 }));
    assert_eq!(counts(), [2, 0]);
    let deleted = session.user(bob, "DeleteMessages", &inbox(&[from_alice]));
    assert_eq!(deleted, json!({ "requested": 1, "actual": 1 }));
    session.sys("DeleteMessage", &json!({ "messageId": from_app }));
    assert_eq!(counts(), [0, 0]);
}

fn receives_all_violations_of_a_request(session: &ClientSession) {
    let (method, request) = (
        "postroom.v1.Messaging/SendMessageSimple",
        json!({ "to": ["b\nb"] }),
    );
    let token = &session.server.tokens.alice;
    let refused = run(&mut session
        .client
        .call(session.server.user, method, token, &request));
    let text = format!("{:#}", refused.expect_err("a refusal"));
    let text = decoded(&text) + &text;
    for expected in ["INVALID_REQUEST", "to[0]", "text"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

/// Decodes base64, in which buf prints error details.
fn decoded(output: &str) -> String {
    let details = output
        .split('"')
        .filter_map(|text| STANDARD_NO_PAD.decode(text).ok());
    details
        .map(|detail| String::from_utf8_lossy(&detail).into_owned())
        .collect()
}

fn run_scenarios(client: &dyn Client, deployment: &Deployment) {
    let server = deployment.serve();
    let session = ClientSession {
        client,
        server: &server,
    };
    lists_both_services(&session);
    sends_pages_counts_marks_and_deletes(&session);
    receives_all_violations_of_a_request(&session);
}

async fn grpcurl_calls_both_services_by_reflection(deployment: &Deployment) {
    run_scenarios(&Grpcurl, deployment);
}

async fn buf_curl_calls_both_services_by_reflection(deployment: &Deployment) {
    run_scenarios(&BufCurl, deployment);
}

on_each_database![
    grpcurl_calls_both_services_by_reflection,
    buf_curl_calls_both_services_by_reflection,
];
