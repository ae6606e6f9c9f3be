//! Export and erasure of users and apps by the commands.

use std::time::Duration;

use proto::sys::v1 as system;
use proto::v1;
use support::command::run;
use support::issuer::APP;
use support::on_each_database;
use support::process::{Deployment, ServerProcess, postroom};
use support::store::DatabaseKind;
use tokio::time::sleep;

use super::segments::sys;
use crate::conformance::fixture::RawDatabase;

/// Profile id and text that the log must not show.
const PROFILE: &str = "canary-profile";
const TEXT: &str = "canary-text";

/// Name of the same user.
const NAME: &str = "canary-name";
/// Pause between looks at the state of a job.
const PAUSE: Duration = Duration::from_millis(100);

on_each_database![
    users_are_exported_and_erased_and_the_log_names_none_of_them,
    the_jobs_that_erase_users_and_apps_log_nothing_of_them,
];

async fn users_are_exported_and_erased_and_the_log_names_none_of_them(deployment: &Deployment) {
    let server = deployment.serve();
    let mut sender = server.messaging(&deployment.token("demo", PROFILE));
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: TEXT.to_owned(),
        ..Default::default()
    };
    sender
        .send_message_simple(request)
        .await
        .expect("a message");
    let said = |arguments: &[&str]| {
        let said = run(&mut sys(deployment, &server, arguments));
        said.map_err(|error| format!("{error:#}"))
    };

    let exported = said(&["export", PROFILE]).expect("an export");
    let lines: Vec<serde_json::Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["profile_id"]),
        (&"profile".into(), &PROFILE.into())
    );
    assert!(exported.contains(TEXT), "{exported}");

    let unknown = said(&["erasure", PROFILE]).expect_err("none");
    assert!(unknown.contains("NOT_FOUND"), "{unknown}");
    let erased = said(&["erase", PROFILE]).expect("an erasure");
    assert!(erased.contains("requested at"), "{erased}");
    let state = said(&["erasure", PROFILE]).expect("a state");
    assert!(state.contains("under way"), "{state}");

    let other = said(&["erase-app", "chess"]).expect_err("another app");
    assert!(other.contains("INVALID_REQUEST"), "{other}");
    let app = said(&["erase-app", "demo"]).expect("an erasure");
    assert!(app.starts_with("demo is erased at"), "{app}");
    let withdrawn = said(&["erase-app", "demo", "--cancel"]).expect("a withdrawal");
    assert_eq!(withdrawn, "demo is not erased\n");

    server.terminate();
    let server = tokio::task::spawn_blocking(move || {
        server.wait_for_log("drain.done");
        server
    });
    let server = server.await.expect("an end");
    let log = server.log();
    assert!(!log.contains(PROFILE) && !log.contains(TEXT), "{log}");
    assert!(server.ended().await.success());
}

/// The database of a deployment, beside the service.
async fn raw(deployment: &Deployment) -> RawDatabase {
    let url = deployment.database().url();
    let kind = if url.starts_with("sqlite:") {
        DatabaseKind::Sqlite
    } else {
        DatabaseKind::Postgres
    };
    RawDatabase::open(kind, &url).await
}

/// Rows of the user in each table that can name one.
async fn furnish(deployment: &Deployment, server: &ServerProcess) {
    let token = run(postroom(["token"])
        .args(["--sub", PROFILE, "--name", NAME])
        .arg("--data-dir")
        .arg(deployment.data_dir()));
    let mut user = server.messaging(token.expect("a token").trim());
    let mut bob = server.messaging(&server.tokens.bob);
    let mut app = server.system();
    let text = |to: &str| v1::SendMessageSimpleRequest {
        to: vec![to.to_owned()],
        text: TEXT.to_owned(),
        request_id: PROFILE.to_owned(),
        ..Default::default()
    };
    let block = |profile_id: &str| v1::BlockProfileRequest {
        profile_id: profile_id.to_owned(),
        request_id: String::new(),
    };
    user.send_message_simple(text("bob")).await.expect("sent");
    bob.send_message_simple(text(PROFILE)).await.expect("sent");
    let news = system::SendMessageSimpleRequest {
        to: vec![PROFILE.to_owned(), "bob".to_owned()],
        text: TEXT.to_owned(),
        sender: Some(v1::Sender {
            name: NAME.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    app.send_message_simple(news).await.expect("sent");
    bob.block_profile(block(PROFILE)).await.expect("a block");
    user.block_profile(block("bob")).await.expect("a block");
    let file = deployment.data_dir().join("recipients.txt");
    std::fs::write(&file, format!("{PROFILE}\nann\n")).expect("a file");
    let file = file.display().to_string();
    let send = ["send", "--from-name", NAME, "--to-file", &file, TEXT];
    run(&mut sys(deployment, server, &send)).expect("a segment");
}

async fn the_jobs_that_erase_users_and_apps_log_nothing_of_them(deployment: &Deployment) {
    let mut start = deployment.start();
    let debug = ["--log-level", "debug"].map(str::to_owned);
    start.arguments.extend(debug);
    let server = ServerProcess::start(&start);
    furnish(deployment, &server).await;
    let mut app = server.system();
    let erase = system::EraseProfileRequest {
        profile_id: PROFILE.to_owned(),
        request_id: String::new(),
    };
    app.erase_profile(erase).await.expect("an erasure");
    // The waits of the job are two minutes at its begin, and an hour at its end.
    let raw = raw(deployment).await;
    let is_done = async || {
        let request = system::GetErasureRequest {
            profile_id: PROFILE.to_owned(),
        };
        let erasure = server.system().get_erasure(request).await;
        erasure
            .expect("an erasure")
            .into_inner()
            .done_time
            .is_some()
    };
    while !is_done().await {
        raw.run("UPDATE erasure SET next_ms = 0 WHERE done_ms IS NULL")
            .await;
        sleep(PAUSE).await;
    }
    let named = format!("SELECT count(*) FROM mailbox WHERE profile_id = '{PROFILE}'");
    assert_eq!(raw.number(&named).await, 0);

    let erase = system::EraseAppRequest {
        app_id: APP.to_owned(),
        ..Default::default()
    };
    app.erase_app(erase).await.expect("an erasure");
    raw.run("UPDATE app SET erase_ms = 1").await;
    server.wait_for_log("app.erased");
    let log = server.log();
    assert!(log.contains("DEBUG"), "{log}");
    for canary in [PROFILE, NAME, TEXT] {
        let hex = domain::text::hexadecimal(canary.as_bytes());
        let line = log
            .lines()
            .find(|line| line.contains(canary) || line.contains(&hex));
        assert_eq!(line, None, "{canary}");
    }
}
