//! Callers beyond their quota.

use std::time::Duration;

use domain::limits::USAGE_DELAY_MS;
use proto::sys::v1::AppSettings;
use support::on_each_database;
use support::service::TestService;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::golden::compare;
use crate::api::builders::{configure, message, text};

/// Placeholder of the retry delay, which is the time of one send less the time that the test has
/// taken.
const ABOUT: Duration = Duration::from_secs(1);

fn about(status: &Status) -> Status {
    let mut details = status.get_error_details();
    let wait = details.retry_info().and_then(|retry| retry.retry_delay);
    let wait = wait.expect("a time");
    assert!(wait > Duration::ZERO && wait <= ABOUT, "{wait:?}");
    details.set_retry_info(Some(ABOUT));
    Status::with_error_details(status.code(), status.message(), details)
}

async fn a_send_beyond_a_quota_has_a_golden_error_with_a_retry_delay(test: &TestService) {
    let settings = AppSettings {
        profile_sends_per_second: Some(1),
        profile_sends_burst: Some(1),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut alice = test.user("alice");
    let told = loop {
        let request = message(&["bob"], text("hi"));
        if let Err(status) = alice.send_message(request).await {
            break status;
        }
    };
    let kept = fill_the_kept_quota(test).await;
    let kept_of_app = exceed_the_quota_of_the_app(test).await;
    let cases = [
        ("a send too many", about(&told)),
        ("a send of a user of whom enough is kept", kept),
        ("a send in an app of which enough is kept", kept_of_app),
    ];
    compare("quotas", &cases);
}

/// Bob sends himself messages until as much of them is kept as may be.
async fn fill_the_kept_quota(test: &TestService) -> Status {
    let settings = AppSettings {
        profile_kept_mib: Some(1),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut bob = test.user("bob");
    loop {
        let request = message(&["bob"], text(&"x".repeat(32_000)));
        if let Err(status) = bob.send_message(request).await {
            break status;
        }
    }
}

/// After Bob's messages, the app has no room for another one.
async fn exceed_the_quota_of_the_app(test: &TestService) -> Status {
    let settings = AppSettings {
        app_kept_mib: Some(1),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut alice = test.user("alice");
    let small = alice.send_message(message(&["bob"], text("hi"))).await;
    small.expect("a quota that is not in force");
    test.store.clock.advance(USAGE_DELAY_MS);
    while test.store.store.run_jobs().await.expect("a step") {}
    let large = message(&["bob"], text(&"x".repeat(32_000)));
    alice.send_message(large).await.expect_err("a refusal")
}

on_each_database![a_send_beyond_a_quota_has_a_golden_error_with_a_retry_delay];
