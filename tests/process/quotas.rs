//! Quotas of the configuration.

use std::time::Duration;

use proto::sys::v1 as sys;
use proto::v1;
use support::on_each_database;
use support::process::{Deployment, ServerProcess, SystemClient, UserClient};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::api::builders::{notice, reason_of, text};

/// Sends that are tried until one is too many. More than two are needed only on a machine on which
/// each takes longer than a second.
const TRIES_MAX: usize = 500;

/// Messages that a page looks at.
const EXAMINED: usize = 150;

fn limited(deployment: &Deployment) -> ServerProcess {
    let mut start = deployment.start();
    for (name, value) in [
        ("POSTROOM_QUOTAS__PROFILE_SENDS_PER_SECOND", "1"),
        ("POSTROOM_QUOTAS__PROFILE_SENDS_BURST", "1"),
        ("POSTROOM_QUOTAS__APP_SENDS_PER_SECOND", "1"),
        ("POSTROOM_QUOTAS__APP_SENDS_BURST", "2"),
    ] {
        start.variables.push((name, value.to_owned()));
    }
    ServerProcess::start(&start)
}

async fn send(mut user: UserClient) -> Result<(), Status> {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "hi".to_owned(),
        ..Default::default()
    };
    user.send_message_simple(request).await.map(drop)
}

async fn announce(mut app: SystemClient) -> Result<(), Status> {
    let request: sys::SendMessageRequest = notice(&["bob"], text("news"));
    app.send_message(request).await.map(drop)
}

/// Sends until that is too often. How long to wait.
async fn too_often(send: impl AsyncFn() -> Result<(), Status>) -> Duration {
    for _ in 0..TRIES_MAX {
        if let Err(status) = send().await {
            assert_eq!(reason_of(&status), "RATE_LIMITED");
            let retry = status.get_details_retry_info().expect("a RetryInfo");
            return retry.retry_delay.expect("a time");
        }
    }
    panic!("never too often");
}

async fn configured_quotas_limit_sends(deployment: &Deployment) {
    let server = limited(deployment);
    let alice = server.messaging(&server.tokens.alice);
    let app = server.system();
    let told = too_often(async || send(alice.clone()).await).await;
    tokio::time::sleep(told).await;
    send(alice.clone()).await.expect("a send, after the wait");

    let told = too_often(async || announce(app.clone()).await).await;
    tokio::time::sleep(told).await;
    announce(app).await.expect("a send, after the wait");
}

async fn a_page_that_examines_many_rows_counts_as_several_calls(deployment: &Deployment) {
    let mut start = deployment.start();
    for (name, value) in [
        ("POSTROOM_QUOTAS__PROFILE_CALLS_PER_SECOND", "1"),
        ("POSTROOM_QUOTAS__PROFILE_CALLS_BURST", "1"),
    ] {
        start.variables.push((name, value.to_owned()));
    }
    let server = ServerProcess::start(&start);
    let mut app = server.system();
    for _ in 0..EXAMINED {
        let request: sys::SendMessageRequest = notice(&["alice"], text("news"));
        app.send_message(request).await.expect("a message");
    }
    let mut alice = server.messaging(&server.tokens.alice);
    let page = v1::GetMessagesPageRequest {
        context: Some(v1::PageContext {
            search_criteria: Some(v1::SearchCriteria {
                sender_profile_id: "nobody".to_owned(),
                ..Default::default()
            }),
            pagination: Some(v1::Pagination {
                do_count: true,
                ..Default::default()
            }),
            ..Default::default()
        }),
    };
    let examined = alice.get_messages_page(page).await.expect("a page");
    assert_eq!(examined.into_inner().results.expect("results").count, 0);
    let next = alice.get_message_counts(v1::GetMessageCountsRequest {});
    let refused = next.await.expect_err("several calls");
    assert_eq!(reason_of(&refused), "RATE_LIMITED");
    let retry = refused.get_details_retry_info().expect("a RetryInfo");
    // 150 rows twice are a call and a half.
    let wait = retry.retry_delay.expect("a time");
    assert!(wait > Duration::from_secs(1), "{wait:?}");
}

on_each_database![
    configured_quotas_limit_sends,
    a_page_that_examines_many_rows_counts_as_several_calls,
];
