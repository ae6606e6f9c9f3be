//! Export and erasure of users and apps by the commands.

use proto::v1;
use support::command::run;
use support::on_each_database;
use support::process::Deployment;

use super::segments::sys;

/// Profile id and text that the log must not show.
const PROFILE: &str = "canary-profile";
const TEXT: &str = "canary-text";

on_each_database![users_are_exported_and_erased_and_the_log_names_none_of_them];

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
