//! The audit log of the real program: its job, its commands, and crashes.

use std::time::Duration;

use proto::sys::v1 as sys;
use serde_json::Value;
use support::command::{output, run};
use support::issuer::TestIssuer;
use support::process::{
    AUDIT_KEY, DATABASE_VARIABLE, Deployment, ServerProcess, StartOptions, SystemClient, postroom,
};
use support::temp_folder::TempFolder;
use support::{on_each_database, secret_file};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::api::builders::{notice, text};

/// Text of messages that no output of the audit log contains.
const CANARY: &str = "kanarienvogel";
const PAUSE: Duration = Duration::from_millis(50);
/// Messages that are sent before a crash.
const SENT_MIN: usize = 40;

/// A call of `postroom audit` on a deployment.
fn audit(deployment: &Deployment, arguments: &[&str]) -> std::process::Command {
    let mut command = postroom([&["audit"][..], arguments].concat());
    command
        .env(DATABASE_VARIABLE, deployment.database().url())
        .env(AUDIT_KEY.0, AUDIT_KEY.1);
    command
}

fn verify(deployment: &Deployment, arguments: &[&str]) -> Result<String, String> {
    let said =
        output(audit(deployment, &[&["verify"][..], arguments].concat()).env("NO_COLOR", "1"));
    let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    if said.status.success() {
        Ok(text)
    } else {
        Err(text)
    }
}

fn request(number: usize) -> sys::SendMessageRequest {
    sys::SendMessageRequest {
        request_id: format!("request-{number}"),
        ..notice(&["bob"], text(CANARY))
    }
}

/// Waits until the log has that many records, and returns them.
async fn records(app: &mut SystemClient, count: usize) -> Vec<sys::AuditRecord> {
    loop {
        let request = sys::ListAuditRequest {
            page_size: 200,
            ..Default::default()
        };
        let listed = app.list_audit(request).await.expect("records");
        let records = listed.into_inner().records;
        if records.len() >= count {
            return records;
        }
        sleep(PAUSE).await;
    }
}

async fn the_log_is_chained_verified_and_exported(deployment: &Deployment) {
    let server = deployment.serve();
    let mut app = server.system();
    for number in 0..3 {
        app.send_message(request(number)).await.expect("a message");
    }
    let records = records(&mut app, 3).await;
    server.wait_for_log("audit.head");
    let line = server.log();
    let line = line.lines().find(|line| line.contains("audit.head"));
    let head: Value = serde_json::from_str(line.expect("a line")).expect("JSON");
    let (no, mac) = (
        &head["audit.no"],
        head["audit.mac"].as_str().expect("a MAC"),
    );
    let logged = format!("demo:{no}:{mac}");
    assert_eq!(
        verify(deployment, &[]),
        Ok("faults 0 over 3 records of 1 apps".to_owned())
    );
    assert!(verify(deployment, &["--head", &logged]).is_ok());
    let forged = format!("demo:{no}:{}", "0a".repeat(32));
    let refused = verify(deployment, &["--head", &forged]).expect_err("a fault");
    assert!(refused.contains("does not lead to head"), "{refused}");

    let exported = run(&mut audit(deployment, &["export"])).expect("records");
    assert!(!exported.contains(CANARY), "{exported}");
    let exported: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(exported.len(), 3);
    for (line, record) in exported.iter().zip(records.iter().rev()) {
        assert_eq!(line["app"], "demo");
        assert_eq!(line["audit_no"], record.audit_no);
        assert_eq!(line["call_id"], record.call_id);
        assert_eq!(
            line["touched_message_ids"][0],
            record.touched_message_ids[0]
        );
        assert_eq!(line["touched_profile_ids"][0], "bob");
        // The line of the call has its address.
        server.wait_for_log(&record.call_id);
    }
    let other = run(&mut audit(deployment, &["export", "--app", "other"]));
    assert_eq!(other.expect("no records"), "");
}

async fn after_a_crash_each_message_of_the_app_has_one_record(deployment: &Deployment) {
    let server = deployment.serve();
    let mut calls = JoinSet::new();
    for number in 0..200 {
        let mut app = server.system();
        calls.spawn(async move { app.send_message(request(number)).await.is_ok() });
    }
    let kill = server.killer();
    let mut sent = 0;
    while sent < SENT_MIN {
        sent += usize::from(calls.join_next().await.expect("calls").expect("no panic"));
    }
    kill();
    while let Some(call) = calls.join_next().await {
        sent += usize::from(call.expect("no panic"));
    }
    drop(server);

    let server = deployment.serve();
    let mut app = server.system();
    let counts = sys::GetMessageCountsForOwnerRequest {
        owner_profile_id: "bob".to_owned(),
    };
    let counts = app.get_message_counts_for_owner(counts).await;
    let boxes = counts.expect("counts").into_inner().boxes;
    let stored = usize::try_from(support::boxes::named(&boxes, "inbox").total).expect("a number");
    assert!(stored >= sent, "{stored} of {sent}");
    let records = records(&mut app, stored).await;
    assert_eq!(records.len(), stored);
    assert!(verify(deployment, &[]).is_ok());
}

/// Another key than [`AUDIT_KEY`], and the variable that names one that it replaces.
const NEW_KEY: &str = "0909090909090909090909090909090909090909090909090909090909090909";
const PREVIOUS_KEY: &str = "POSTROOM_AUDIT__PREVIOUS_KEY";

/// Options of a service with the new key.
fn with_new_key(deployment: &Deployment, names_previous: bool) -> StartOptions {
    let mut start = deployment.start();
    start.variables.push((AUDIT_KEY.0, NEW_KEY.to_owned()));
    if names_previous {
        start.variables.push((PREVIOUS_KEY, AUDIT_KEY.1.to_owned()));
    }
    start
}

async fn a_new_key_replaces_the_one_that_the_log_has(deployment: &Deployment) {
    let server = deployment.serve();
    let mut app = server.system();
    app.send_message(request(0)).await.expect("a message");
    records(&mut app, 1).await;
    server.terminate();
    assert!(server.ended().await.success());

    let said = output(&mut ServerProcess::command(&with_new_key(
        deployment, false,
    )));
    let text = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(64), "{text}");
    assert!(text.contains("audit.previous_key_file"), "{text}");
    assert!(!text.contains(NEW_KEY), "{text}");

    let server = ServerProcess::start(&with_new_key(deployment, true));
    server.wait_for_log("audit.key_replaced");
    let mut app = server.system();
    app.send_message(request(1)).await.expect("a message");
    records(&mut app, 2).await;
    server.terminate();
    assert!(server.ended().await.success());
    // The service needs the previous key no longer.
    let server = ServerProcess::start(&with_new_key(deployment, false));
    let mut app = server.system();
    app.send_message(request(2)).await.expect("a message");
    records(&mut app, 3).await;

    let folder = TempFolder::new();
    let file = folder.join("audit-key-1");
    secret_file::write(&file, AUDIT_KEY.1);
    let file = file.display().to_string();
    let mut verified = audit(deployment, &["verify", "--previous-key-file", &file]);
    let verified = run(verified.env(AUDIT_KEY.0, NEW_KEY));
    assert_eq!(
        verified.expect("no faults"),
        "faults 0 over 3 records of 1 apps\n"
    );
    let without = output(audit(deployment, &["verify"]).env(AUDIT_KEY.0, NEW_KEY));
    let text = String::from_utf8_lossy(&without.stdout);
    assert!(
        text.contains("demo: record 1 was changed, or sealed with another key"),
        "{text}"
    );
    assert_eq!(without.status.code(), Some(1));
}

on_each_database![
    a_new_key_replaces_the_one_that_the_log_has,
    the_log_is_chained_verified_and_exported,
    after_a_crash_each_message_of_the_app_has_one_record,
];

#[tokio::test]
async fn development_makes_a_key_of_its_own() {
    let folder = TempFolder::new();
    let server = ServerProcess::start(&StartOptions {
        data_dir: folder.path().to_owned(),
        ..StartOptions::default()
    });
    let mut app = server.system();
    app.send_message(request(0)).await.expect("a message");
    records(&mut app, 1).await;
    server.terminate();
    assert!(server.ended().await.success());
    let folder = folder.path().display().to_string();
    let said = run(&mut postroom([
        "audit",
        "verify",
        "--dev",
        "--data-dir",
        &folder,
    ]));
    assert_eq!(
        said.expect("no faults"),
        "faults 0 over 1 records of 1 apps\n"
    );
}

#[test]
fn a_missing_key_is_a_problem_of_the_configuration() {
    let folder = TempFolder::new();
    let jwks = folder.join("jwks.json");
    secret_file::write(&jwks, &TestIssuer::shared().jwks());
    let config = folder.join("postroom.toml");
    secret_file::write(&config, &TestIssuer::section(&jwks));
    let config = config.display().to_string();
    for arguments in [&["serve"][..], &["audit", "verify"]] {
        let said = output(&mut postroom([arguments, &["--config", &config]].concat()));
        let text = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(64), "{text}");
        assert!(text.contains("audit.key: is missing"), "{text}");
    }
}
