//! Callers who do not finish their requests, or do not take their answers.

use std::time::Duration;

use futures::future::join_all;
use proto::v1;
use support::on_each_database;
use support::process::{Deployment, ServerProcess};
use support::raw_http2::{RawAnswer, RawConnection};
use support::store::{DatabaseKind, TestEnvironment as _};
use tonic::Code;

use crate::api::builders::reason_of;

/// Window of clients that read what they get.
const USUAL_WINDOW: u32 = 65_535;
/// Calls of one profile, as many as it may have.
const CALLS: usize = 100;
const COUNTS: &str = "postroom.v1.Messaging/GetMessageCounts";
const MESSAGES: &str = "postroom.v1.Messaging/GetMessages";
/// Messages of an answer, which has 3 MiB with them.
const LARGE_MESSAGES: usize = 96;
const LARGE_TEXT_BYTES: usize = 32_000;
/// Answers that are not taken: 120 MiB.
const UNREAD_ANSWERS: usize = 40;
/// Memory that they may take: that of the answers that a profile may have, and that of reading them.
const UNREAD_BYTES_MAX: u64 = 88 * 1024 * 1024;

on_each_database![unsent_requests_hold_no_places];

/// Begins calls of Alice without their messages.
async fn without_requests(server: &ServerProcess) -> Vec<RawAnswer> {
    let mut connection = RawConnection::open(server.user, USUAL_WINDOW).await;
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        let call = connection.begin(COUNTS, &server.tokens.alice, "30S");
        calls.push(call.await.expect("a call").answer());
    }
    let answers = join_all(calls).await.into_iter();
    answers.map(|answer| answer.expect("an answer")).collect()
}

async fn unsent_requests_hold_no_places(deployment: &Deployment) {
    let mut start = deployment.start();
    // Fewer places than calls.
    let places = ("POSTROOM_LIMITS__CALLS_IN_FLIGHT", "20".to_owned());
    start.variables.push(places);
    let server = ServerProcess::start(&start);
    let silent = async {
        let answers = without_requests(&server).await;
        let codes = answers.iter().map(RawAnswer::code);
        codes.collect::<Vec<_>>()
    };
    let mut bob = server.messaging(&server.tokens.bob);
    let others = async {
        for _ in 0..50 {
            let counts = bob.get_message_counts(v1::GetMessageCountsRequest {});
            counts.await.expect("counts");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (codes, ()) = tokio::join!(silent, others);
    let deadline = Some(Code::DeadlineExceeded as i32);
    assert_eq!(codes, vec![deadline; CALLS]);
}

/// Ids of messages in the inbox of Alice.
async fn large_messages(server: &ServerProcess) -> Vec<String> {
    let mut alice = server.messaging(&server.tokens.alice);
    let mut message_ids = Vec::new();
    for _ in 0..LARGE_MESSAGES {
        let sent = alice.send_message_simple(v1::SendMessageSimpleRequest {
            to: vec!["alice".to_owned()],
            text: "x".repeat(LARGE_TEXT_BYTES),
            ..Default::default()
        });
        message_ids.push(sent.await.expect("a message").into_inner().message_id);
    }
    message_ids
}

#[tokio::test]
async fn answers_that_are_not_taken_are_bounded_and_end_at_the_deadline() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let request = v1::GetMessagesRequest {
        msgbox: "inbox".to_owned(),
        message_ids: large_messages(&server).await,
        ..Default::default()
    };
    let before = server.memory_bytes();
    let mut connection = RawConnection::open(server.user, 1).await;
    let (mut unread, mut refused) = (Vec::new(), 0);
    for _ in 0..UNREAD_ANSWERS {
        let call = connection.call(MESSAGES, &server.tokens.alice, "10S", &request);
        let answer = call.await.expect("a call").answer().await;
        let answer = answer.expect("an answer");
        match answer.code() {
            None => unread.push(answer),
            Some(code) => {
                assert_eq!(code, Code::ResourceExhausted as i32);
                refused += 1;
            }
        }
    }
    let taken = server.memory_bytes().saturating_sub(before);
    assert!(unread.len() >= 2 && refused > 0, "{refused} refused");
    assert!(taken <= UNREAD_BYTES_MAX, "{taken} bytes");
    let mut alice = server.messaging(&server.tokens.alice);
    let now = alice.get_messages(request.clone()).await;
    assert_eq!(reason_of(&now.expect_err("no room")), "RATE_LIMITED");

    let resets = join_all(unread.into_iter().map(RawAnswer::reset)).await;
    assert!(
        resets
            .iter()
            .all(|reason| *reason == Some(h2::Reason::CANCEL))
    );
    let later = alice.get_messages(request).await.expect("an answer");
    assert_eq!(later.into_inner().items.len(), LARGE_MESSAGES);
    drop(server);
    deployment.end(true).await;
}
