//! Tokens that the program makes.

use proto::{sys, v1};
use support::boxes;
use support::command::run;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::process::{Deployment, postroom};
use tonic::Code;

fn token(deployment: &Deployment, arguments: &[&str]) -> String {
    let data_dir = deployment.data_dir().display().to_string();
    let common = ["token", "--data-dir", &data_dir];
    let said = run(&mut postroom([&common, arguments].concat())).expect("a token");
    said.trim().to_owned()
}

async fn a_token_from_the_command_line_opens_one_app(deployment: &Deployment) {
    let server = deployment.serve();
    let request = || v1::SendMessageSimpleRequest {
        to: vec!["dora".to_owned()],
        text: "hello".to_owned(),
        ..Default::default()
    };
    let carol = token(deployment, &["--sub", "carol", "--name", "Carol"]);
    server
        .messaging(&carol)
        .send_message_simple(request())
        .await
        .expect("a message");

    for (app, total) in [(APP, 1), ("other", 0)] {
        let dora = token(deployment, &["--sub", "dora", "--app", app]);
        let counts = server
            .messaging(&dora)
            .get_message_counts(v1::GetMessageCountsRequest {})
            .await;
        assert_eq!(
            boxes::named(&counts.expect("counts").into_inner().boxes, "inbox").total,
            total,
            "{app}"
        );
    }
}

async fn the_scopes_of_a_privileged_token_limit_its_calls(deployment: &Deployment) {
    let server = deployment.serve();
    let reader = token(
        deployment,
        &["--sub", "bot", "--kind", "sys", "--scope", "sys.read"],
    );
    let mut reader = server.system_with(&reader);
    let owner = sys::v1::GetMessageCountsForOwnerRequest {
        owner_profile_id: "bob".to_owned(),
    };
    reader
        .get_message_counts_for_owner(owner)
        .await
        .expect("counts");
    let settings = reader
        .get_app_settings(sys::v1::GetAppSettingsRequest {})
        .await;
    assert_eq!(
        settings.expect_err("a refusal").code(),
        Code::PermissionDenied
    );
}

async fn an_explanation_of_a_token_agrees_with_the_listeners(deployment: &Deployment) {
    let server = deployment.serve();
    for (token, told) in [
        (
            &server.tokens.bob,
            "accepted: Messaging, profile bob of app demo",
        ),
        (
            &server.tokens.sys,
            "accepted: Sys, app demo, scopes: sys.read sys.send",
        ),
    ] {
        let data_dir = deployment.data_dir().display().to_string();
        let explain = ["token", "--explain", token, "--data-dir", &data_dir];
        let said = run(&mut postroom(explain)).expect("an explanation");
        assert!(said.contains(told), "{said}");
    }
}

async fn a_token_with_many_claims_has_up_to_16_kib(deployment: &Deployment) {
    let server = deployment.serve();
    for (name_bytes, refused) in [(11_500, None), (13_000, Some("16 KiB"))] {
        let name = "x".repeat(name_bytes);
        let token = token(deployment, &["--sub", "anna", "--name", &name]);
        let request = v1::GetMessageCountsRequest {};
        let answer = server.messaging(&token).get_message_counts(request).await;
        let told = answer.err().map(|status| status.message().to_owned());
        match (told, refused) {
            (None, None) => {}
            (Some(told), Some(part)) => assert!(told.contains(part), "{told}"),
            (told, _) => panic!("{} bytes: {told:?}", token.len()),
        }
    }
}

async fn a_token_of_an_unknown_issuer_is_refused(deployment: &Deployment) {
    let server = deployment.serve();
    let far_future_s = 4_000_000_000;
    for token in [
        TestIssuer::stranger().user(APP, "bob", far_future_s),
        String::new(),
    ] {
        let request = v1::GetMessageCountsRequest {};
        let refused = server.messaging(&token).get_message_counts(request).await;
        assert_eq!(
            refused.expect_err("a refusal").code(),
            Code::Unauthenticated
        );
    }
}

on_each_database![
    a_token_from_the_command_line_opens_one_app,
    the_scopes_of_a_privileged_token_limit_its_calls,
    an_explanation_of_a_token_agrees_with_the_listeners,
    a_token_with_many_claims_has_up_to_16_kib,
    a_token_of_an_unknown_issuer_is_refused,
];
