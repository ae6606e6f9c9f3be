//! Calls that follow a mailbox, and are refused or cut off.

use proto::v1;
use support::on_each_database;
use support::service::{InProcessUser, TestService};
use tonic::Status;

use super::golden::compare;
use crate::api::builders::{refused, send_many};
use crate::realtime::ends::{cut_off, impatient, with_timing};

/// Number of messages, more than the send buffer of a stream holds.
const MANY: usize = 140;

async fn subscribed(
    mut user: InProcessUser,
    cursor: &str,
) -> Result<tonic::Streaming<v1::SubscribeResponse>, Status> {
    let request = v1::SubscribeRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    Ok(user.subscribe(request).await?.into_inner())
}

async fn too_many(test: &TestService) -> Status {
    let mut streams = Vec::new();
    loop {
        match subscribed(test.user("bob"), "").await {
            Ok(stream) => streams.push(stream),
            Err(status) => return status,
        }
    }
}

async fn too_slow(test: &TestService) -> Status {
    send_many(test, MANY).await;
    let user = with_timing(test, impatient()).await;
    let (_, _, status) = cut_off(user).await;
    status
}

async fn refused_and_ended_streams_have_golden_errors(test: &TestService) {
    let altered = v1::GetChangesRequest {
        cursor: "altered".to_owned(),
        ..Default::default()
    };
    let cases = [
        (
            "a cursor that was altered",
            refused(test.user("bob").get_changes(altered)).await,
        ),
        ("a reader that takes nothing", too_slow(test).await),
        ("more streams than a profile has", too_many(test).await),
    ];
    compare("feed", &cases);
}

on_each_database![refused_and_ended_streams_have_golden_errors];
