//! Keys of an issuer that come from a URL.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proto::v1;
use storage::Clock as _;
use storage_sql::SystemClock;
use support::certificates::write;
use support::http;
use support::issuer::{ALL_SCOPES, APP, TestIssuer};
use support::process::{DevTokens, ServerProcess};
use support::temp_folder::TempFolder;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::metrics::value;
use crate::api::builders::reason_of;
use crate::conformance::fixture::IN_TIME;

/// Publisher of keys, which answers 503 until it is up.
struct KeyPublisher {
    url: String,
    is_up: Arc<AtomicBool>,
}

impl KeyPublisher {
    fn start(document: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let is_up = Arc::new(AtomicBool::new(false));
        let answers = is_up.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 1024]);
                let status = if answers.load(Ordering::Relaxed) {
                    "200 OK"
                } else {
                    "503 Service Unavailable"
                };
                let length = document.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n");
                let answer = format!("{head}connection: close\r\n\r\n{document}");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self {
            url: format!("http://{address}/jwks.json"),
            is_up,
        }
    }
}

/// Configuration with keys at a URL or in a file, and the database in the folder.
fn configuration(keys: &Path, folder: &TempFolder) -> PathBuf {
    let config = format!(
        "{}[database]\nurl = 'sqlite:{}'\n",
        TestIssuer::section(keys),
        folder.join("postroom.db").display()
    );
    write(folder.path(), "postroom.toml", &config)
}

fn tokens() -> DevTokens {
    let (issuer, now) = (TestIssuer::shared(), SystemClock.now().expect("a time"));
    let now_s = now.ms.0 / 1000;
    DevTokens {
        alice: issuer.user(APP, "alice", now_s),
        bob: issuer.user(APP, "bob", now_s),
        sys: issuer.sys(APP, ALL_SCOPES, now_s),
    }
}

async fn counts(server: &ServerProcess) -> Result<(), Status> {
    let mut bob = server.messaging(&server.tokens.bob);
    let counts = bob.get_message_counts(v1::GetMessageCountsRequest {}).await;
    counts.map(drop)
}

#[tokio::test]
async fn a_replica_without_keys_is_not_ready_and_its_callers_try_again() {
    let (issuer, folder) = (TestIssuer::shared(), TempFolder::new());
    let publisher = KeyPublisher::start(issuer.jwks());
    let config = configuration(publisher.url.as_ref(), &folder);
    let server = ServerProcess::start_from(&config, tokens());

    assert_eq!(http::get(server.operations, "/readyz").0, 503);
    let refused = counts(&server).await.expect_err("a refusal");
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reason_of(&refused), "ISSUER_UNAVAILABLE");
    let retry = refused.get_details_retry_info().expect("a time");
    assert!(retry.retry_delay >= Some(Duration::from_secs(1)));

    publisher.is_up.store(true, Ordering::Relaxed);
    let began = Instant::now();
    while let Err(status) = counts(&server).await {
        assert_eq!(reason_of(&status), "ISSUER_UNAVAILABLE");
        assert!(began.elapsed() < IN_TIME, "{status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(http::get(server.operations, "/readyz").0, 200);
    let metrics = http::get(server.operations, "/metrics").1;
    let label = "issuer.test";
    let keys = value(&metrics, "postroom_issuer_keys", label);
    assert!(keys >= Some(1.0), "{keys:?}");
    let failures = value(&metrics, "postroom_issuer_key_load_failures_total", label);
    assert!(failures >= Some(1.0), "{failures:?}");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_a_hangup() {
    let folder = TempFolder::new();
    let keys = TestIssuer::shared().jwks();
    let file = write(folder.path(), "jwks.json", &keys);
    let server = ServerProcess::start_from(&configuration(&file, &folder), tokens());
    counts(&server).await.expect("counts");
    let others = keys.replace("\"kid\":\"", "\"kid\":\"other-");
    assert_ne!(others, keys);
    assert_eq!(write(folder.path(), "jwks.json", &others), file);
    counts(&server).await.expect("counts");
    server.signal("HUP");
    let began = Instant::now();
    let refused = loop {
        if let Err(status) = counts(&server).await {
            break status;
        }
        assert!(began.elapsed() < IN_TIME);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(reason_of(&refused), "CREDENTIALS_INVALID");
}
