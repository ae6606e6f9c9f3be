//! Signals.

use proto::v1;
use support::process::Deployment;
use support::store::{DatabaseKind, TestEnvironment as _};

/// Signals that end a process by default and must not end the service.
const HARMLESS: [&str; 5] = ["HUP", "USR1", "USR2", "ALRM", "XFSZ"];

#[tokio::test]
async fn a_harmless_signal_leaves_the_service_running() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut alice = server.messaging(&server.tokens.alice);
    for name in HARMLESS {
        server.signal(name);
        if name != "HUP" {
            server.wait_for_log(&format!("SIG{name}"));
        }
        let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
        counts.await.expect(name);
    }
    deployment.end(true).await;
}

#[tokio::test]
async fn sigint_and_sigquit_drain() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    for name in ["INT", "QUIT"] {
        let server = deployment.serve();
        server.signal(name);
        server.wait_for_log("drain.done");
        assert!(server.ended().await.success(), "{name}");
    }
    deployment.end(true).await;
}
