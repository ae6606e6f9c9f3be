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
    /// Returns the services that a listener reflects.
    fn list(&self, address: SocketAddr) -> String;
    /// Returns the call of a method with a token and a request in JSON.
    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command;
}

struct Grpcurl;

impl Client for Grpcurl {
    fn list(&self, address: SocketAddr) -> String {
        let mut grpcurl = Command::new(tools::grpcurl());
        run(grpcurl.args(["-plaintext", &address.to_string(), "list"])).expect("a list")
    }

    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command {
        let mut grpcurl = Command::new(tools::grpcurl());
        grpcurl
            .args([
                "-plaintext",
                "-H",
                &format!("authorization: Bearer {token}"),
            ])
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
    fn list(&self, address: SocketAddr) -> String {
        let url = format!("http://{address}");
        run(Self::command().args(["--list-services", &url])).expect("a list")
    }

    fn call(&self, address: SocketAddr, method: &str, token: &str, request: &Value) -> Command {
        let mut buf = Self::command();
        buf.args([
            "-H",
            &format!("authorization: Bearer {token}"),
            "-d",
            &request.to_string(),
        ])
        .arg(format!("http://{address}/{method}"));
        buf
    }
}

/// A client, and the service that it talks to.
struct Talk<'a> {
    client: &'a dyn Client,
    server: &'a ServerProcess,
}

impl Talk<'_> {
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
    let said = run(&mut command).expect("an answer");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn lists_both_services(talk: &Talk) {
    let (users, apps) = (
        talk.client.list(talk.server.user),
        talk.client.list(talk.server.sys),
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

fn sends_pages_counts_marks_and_deletes(talk: &Talk) {
    let (alice, bob) = (
        talk.server.tokens.alice.as_str(),
        talk.server.tokens.bob.as_str(),
    );
    let inbox = |message_ids: &[&Value]| json!({ "msgbox": "inbox", "messageIds": message_ids });
    let counts = || {
        let counts = talk.user(bob, "GetMessageCounts", &json!({}));
        // Zeros are not said.
        ["total", "unread"].map(|name| counts["boxes"][0][name].as_u64().unwrap_or(0))
    };

    let hello =
        json!({ "to": ["bob"], "content": { "json": { "text": "hello", "n": [1, null] } } });
    let from_alice = &talk.user(alice, "SendMessage", &hello)["messageId"];
    let welcome = json!({ "to": ["bob"], "text": "welcome", "sender": { "name": "The game" } });
    let from_app = &talk.sys("SendMessageSimple", &welcome)["messageId"];
    assert_eq!(counts(), [2, 2]);

    let newest_first = json!({ "context": { "search_criteria": { "msgbox": "inbox" } } });
    let page = talk.user(bob, "GetMessagesPage", &newest_first);
    let items = &page["results"]["items"];
    assert_eq!(
        [&items[0]["messageId"], &items[1]["messageId"]],
        [from_app, from_alice]
    );
    assert_eq!(items[0]["message"]["sender"], json!({ "name": "The game" }));
    assert_eq!(items[1]["message"]["content"], hello["content"]);

    let marked = talk.user(bob, "MarkMessagesRead", &inbox(&[from_alice, from_app]));
    assert_eq!(marked, json!({ "requested": 2, "actual": 2 }));
    assert_eq!(counts(), [2, 0]);
    let deleted = talk.user(bob, "DeleteMessages", &inbox(&[from_alice]));
    assert_eq!(deleted, json!({ "requested": 1, "actual": 1 }));
    talk.sys("DeleteMessage", &json!({ "messageId": from_app }));
    assert_eq!(counts(), [0, 0]);
}

fn is_told_all_reasons_of_a_refusal(talk: &Talk) {
    let (method, request) = (
        "postroom.v1.Messaging/SendMessageSimple",
        json!({ "to": ["b b"] }),
    );
    let token = &talk.server.tokens.alice;
    let refused = run(&mut talk.client.call(talk.server.user, method, token, &request));
    let said = format!("{:#}", refused.expect_err("a refusal"));
    let said = decoded(&said) + &said;
    for told in ["INVALID_REQUEST", "to[0]", "text"] {
        assert!(said.contains(told), "{told} is not in {said}");
    }
}

/// Decodes base64, in which buf prints error details.
fn decoded(said: &str) -> String {
    let details = said
        .split('"')
        .filter_map(|text| STANDARD_NO_PAD.decode(text).ok());
    details
        .map(|detail| String::from_utf8_lossy(&detail).into_owned())
        .collect()
}

fn converses(client: &dyn Client, deployment: &Deployment) {
    let server = deployment.serve();
    let talk = Talk {
        client,
        server: &server,
    };
    lists_both_services(&talk);
    sends_pages_counts_marks_and_deletes(&talk);
    is_told_all_reasons_of_a_refusal(&talk);
}

async fn grpcurl_converses_by_reflection_alone(deployment: &Deployment) {
    converses(&Grpcurl, deployment);
}

async fn buf_curl_converses_by_reflection_alone(deployment: &Deployment) {
    converses(&BufCurl, deployment);
}

on_each_database![
    grpcurl_converses_by_reflection_alone,
    buf_curl_converses_by_reflection_alone,
];
