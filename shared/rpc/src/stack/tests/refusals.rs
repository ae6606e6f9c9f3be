//! Refused calls: their lines in the log, and the end of their connection.

use std::time::Duration;

use futures::FutureExt as _;
use http::Request;
use serde_json::json;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tracing::Level;

use super::log_lines::Lines;
use super::support::*;
use crate::layer::reject;
use crate::limits::{LINE_SAMPLE_INTERVAL, REFUSALS_IN_A_ROW_MAX};
use crate::stack::ServiceName::Messaging;
use crate::{RefusalStreak, RpcError};
use auth::limits::FAILED_CHECKS_MAX;
use auth::testing::{user_claims, with};

/// Number of refused calls of a caller.
const REFUSED: usize = 5;

#[tokio::test(start_paused = true)]
async fn the_refusals_of_a_caller_are_logged_as_one_line_and_their_number() {
    let lines = Lines::default();
    let stack = listener(Messaging, async |_| {
        let retry_after = Duration::from_secs(1);
        reject(RpcError::RateLimited { retry_after })
    });
    let stack = stack.await;
    let guard = lines.collect(Level::INFO);
    for subject in ["alice", "bob"] {
        let claims = with(user_claims(), "sub", json!(subject));
        for path in [SEND, SUBSCRIBE].repeat(REFUSED) {
            run(&stack, call_as(path, &claims)).await;
        }
    }
    assert_eq!(lines.calls().len(), 2);
    tokio::time::sleep(2 * LINE_SAMPLE_INTERVAL).await;
    drop(guard);
    let suppressed = lines.events("call.lines_suppressed");
    assert_eq!(suppressed.len(), 2);
    for (level, fields) in suppressed {
        assert_eq!(level, "WARN");
        assert_eq!(fields["log.suppressed_lines"], 2 * REFUSED - 1);
        assert_eq!(fields["app.id"], "chess");
        assert!(fields["enduser.pseudo.id"].is_string());
    }
}

#[tokio::test]
async fn refusals_in_a_row_exceed_the_streak_of_a_connection() {
    let stack = succeeding(Messaging).await;
    let streak = RefusalStreak::default();
    let run = async |mut call: Request<Body>| {
        call.extensions_mut().insert(streak.clone());
        run(&stack, call).await;
    };
    for _ in 1..REFUSALS_IN_A_ROW_MAX {
        run(call(SEND)).await;
    }
    run(call_as(SEND, &user_claims())).await;
    for _ in 1..REFUSALS_IN_A_ROW_MAX {
        run(call("/unknown/method")).await;
        run(call(HEALTH)).await;
    }
    assert!(streak.exceeded().now_or_never().is_none());
    run(call(SEND)).await;
    assert!(streak.exceeded().now_or_never().is_some());
}

#[tokio::test]
async fn a_lack_of_resources_is_no_refusal_by_fault_of_the_caller() {
    let stack = listener(Messaging, async |_| reject(RpcError::Overloaded(None))).await;
    let streak = RefusalStreak::default();
    for _ in 0..=REFUSALS_IN_A_ROW_MAX {
        let mut call = call_as(SEND, &user_claims());
        call.extensions_mut().insert(streak.clone());
        run(&stack, call).await;
    }
    assert!(streak.exceeded().now_or_never().is_none());
}

#[tokio::test]
async fn an_address_with_many_invalid_tokens_is_rate_limited() {
    let stack = succeeding(Messaging).await;
    let from = |address: [u8; 4], token: &str| {
        let mut call = with_header(call(SEND), "authorization", token);
        call.extensions_mut().insert(TcpConnectInfo {
            local_addr: None,
            remote_addr: Some((address, 4711).into()),
        });
        call
    };
    let (one, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let invalid = (Code::Unauthenticated, reason("CREDENTIALS_INVALID"));
    let limited = (Code::ResourceExhausted, reason("RATE_LIMITED"));
    for _ in 0..FAILED_CHECKS_MAX {
        let ending = ending(&stack, from(one, "Bearer a.b.c")).await;
        assert_eq!(ending, invalid);
    }
    let valid = token(&user_claims());
    assert_eq!(ending(&stack, from(one, "Bearer a.b.c")).await, limited);
    assert_eq!(ending(&stack, from(one, &valid)).await, limited);
    assert_eq!(ending(&stack, from(other, &valid)).await, success());
    assert_eq!(ending(&stack, from(one, &valid)).await, success());
}
