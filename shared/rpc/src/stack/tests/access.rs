//! Access of callers to methods.

use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::support::*;
use crate::layer::reject;
use crate::methods::messaging::EDIT_MESSAGE;
use crate::stack::ServiceName::{Messaging, Sys};
use crate::{Deadline, Proof as _, RpcError, System, User};
use auth::testing::{sys_claims, user_claims, with};

#[tokio::test]
async fn a_users_call_has_a_proof_and_a_deadline_but_no_token() {
    let stack = listener(Messaging, async |call| {
        assert!(call.headers().get(AUTHORIZATION).is_none());
        let request = tonic::Request::from_http(call);
        let user = User::of(&request).expect("a proof");
        assert_eq!(user.profile().as_str(), "alice");
        assert!(System::of(&request).is_err());
        assert!(Deadline::of(&request).is_ok());
        ok()
    });
    let ending = ending(&stack.await, call_as(SEND, &user_claims())).await;
    assert_eq!(ending, success());
}

#[tokio::test]
async fn a_call_of_the_app_has_a_proof() {
    let stack = listener(Sys, async |call| {
        let request = tonic::Request::from_http(call);
        let system = System::of(&request).expect("a proof");
        assert_eq!(system.app().as_str(), "chess");
        assert!(User::of(&request).is_err());
        ok()
    });
    let ending = ending(&stack.await, call_as(SYS_SEND, &sys_claims("sys.send"))).await;
    assert_eq!(ending, success());
}

#[tokio::test]
async fn a_call_without_a_proof_fails_closed() {
    let request = tonic::Request::new(());
    let errors = [
        User::of(&request).err(),
        System::of(&request).err(),
        Deadline::of(&request).err(),
    ];
    for error in errors {
        assert!(matches!(error, Some(RpcError::Internal(_))), "{error:?}");
    }
}

#[tokio::test]
async fn a_proof_for_another_method_fails_closed() {
    let stack = listener(Messaging, async |request| {
        let request = tonic::Request::from_http(request);
        let handler = async |_: User, _, _| Ok::<_, RpcError>(());
        let answer = crate::call(&EDIT_MESSAGE, request, handler).await;
        answer.err().map_or_else(ok, Status::into_http)
    });
    let stack = stack.await;
    let ending = ending(&stack, call_as(SEND, &user_claims())).await;
    assert_eq!(ending, (Code::Internal, reason("INTERNAL")));
}

#[tokio::test]
async fn other_callers_get_the_reason_of_their_rejection() {
    let nobody = with(user_claims(), "sub", Value::Null);
    let strange = with(user_claims(), "aud", json!("other"));
    let expired = with(user_claims(), "exp", json!(1));
    let system = sys_claims("sys.read sys.write sys.bulk sys.admin");
    let cases = [
        (
            Messaging,
            SEND,
            None,
            Code::Unauthenticated,
            "CREDENTIALS_MISSING",
        ),
        (
            Messaging,
            SEND,
            Some(&strange),
            Code::Unauthenticated,
            "CREDENTIALS_INVALID",
        ),
        (
            Messaging,
            SEND,
            Some(&expired),
            Code::Unauthenticated,
            "CREDENTIALS_EXPIRED",
        ),
        (
            Messaging,
            SEND,
            Some(&nobody),
            Code::PermissionDenied,
            "PROFILE_REQUIRED",
        ),
        (
            Messaging,
            SEND,
            Some(&system),
            Code::PermissionDenied,
            "PROFILE_REQUIRED",
        ),
        (
            Sys,
            SYS_SEND,
            None,
            Code::Unauthenticated,
            "CREDENTIALS_MISSING",
        ),
        (
            Sys,
            SYS_SEND,
            Some(&nobody),
            Code::PermissionDenied,
            "SYS_SCOPE_REQUIRED",
        ),
        (
            Sys,
            SYS_SEND,
            Some(&system),
            Code::PermissionDenied,
            "SYS_SCOPE_REQUIRED",
        ),
    ];
    for (which, path, claims, code, why) in cases {
        let stack = succeeding(which).await;
        for path in [path.to_owned(), format!("{path}?x")] {
            let call = claims.map_or_else(|| call(&path), |claims| call_as(&path, claims));
            assert_eq!(
                ending(&stack, call).await,
                (code, reason(why)),
                "{path} {claims:?}"
            );
        }
    }
}

#[tokio::test]
async fn health_ignores_tokens() {
    for which in [Messaging, Sys] {
        let stack = succeeding(which).await;
        assert_eq!(ending(&stack, call(HEALTH)).await, success());
        let call = with_header(call(HEALTH), "authorization", "Bearer nonsense");
        assert_eq!(ending(&stack, call).await, success());
    }
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented_for_every_caller() {
    let stack = succeeding(Messaging).await;
    let unimplemented = (Code::Unimplemented, reason(""));
    for path in [
        SYS_SEND,
        "/",
        "/postroom.v1.Messaging/Drop",
        "/postroom.v1.Messaging",
    ] {
        assert_eq!(ending(&stack, call(path)).await, unimplemented, "{path}");
        let call = call_as(path, &user_claims());
        assert_eq!(ending(&stack, call).await, unimplemented, "{path}");
    }
}

#[tokio::test]
async fn the_error_of_a_handler_passes_unchanged() {
    let stack = listener(Messaging, async |_| reject(RpcError::internal("a cause"))).await;
    let ending = ending(&stack, call_as(SEND, &user_claims())).await;
    assert_eq!(ending, (Code::Internal, reason("INTERNAL")));
}
