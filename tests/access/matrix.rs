//! Every method, called by every kind of caller.

use std::collections::BTreeSet;

use proto::v1::ErrorReason;
use rpc::stack::Stack;
use serde_json::json;
use support::issuer::{ALL_SCOPES, APP, TestIssuer, sys_claims, user_claims};
use support::on_each_database;
use support::service::{Bearer, TestService};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Interceptor as _;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use super::table::{AccessRule, AllowedCallers, ROWS};

/// Each privilege that there is.
const SCOPES: [&str; 6] = [
    "sys.read",
    "sys.send",
    "sys.write",
    "sys.bulk",
    "sys.admin",
    "sys.audit",
];

/// A caller: token and permission.
struct TestCaller {
    is: String,
    token: String,
    may: Permission,
}

/// Calls that a caller may make.
enum Permission {
    /// All that users may.
    User,
    /// Calls of `Sys` that need these scopes.
    Sys(String),
    /// No call: the token is missing or invalid.
    Nothing(ErrorReason),
}

pub(super) type CallOutcome = (Code, Option<ErrorReason>);

impl TestCaller {
    fn new(is: &str, token: String, may: Permission) -> Self {
        Self {
            is: is.to_owned(),
            token,
            may,
        }
    }

    /// Expected code, and the reason of a refusal.
    fn expected(&self, row: &AccessRule) -> CallOutcome {
        match (&self.may, row.who) {
            (Permission::Nothing(reason), _) => (Code::Unauthenticated, Some(*reason)),
            (Permission::User, AllowedCallers::User) => (row.then, None),
            (Permission::Sys(scopes), AllowedCallers::Sys(scope))
                if scopes.split(' ').any(|one| one == scope) =>
            {
                (row.then, None)
            }
            (Permission::User | Permission::Sys(_), AllowedCallers::Sys(_)) => {
                (Code::PermissionDenied, Some(ErrorReason::SysScopeRequired))
            }
            (Permission::Sys(_), AllowedCallers::User) => {
                (Code::PermissionDenied, Some(ErrorReason::ProfileRequired))
            }
        }
    }
}

fn callers(now_s: i64) -> Vec<TestCaller> {
    let issuer = TestIssuer::shared();
    let (user, sys) = (
        user_claims(APP, "alice", now_s),
        sys_claims(APP, ALL_SCOPES, now_s),
    );
    let with = |claims: &serde_json::Value, name: &str, value| {
        let mut claims = claims.clone();
        claims[name] = value;
        issuer.sign(&claims)
    };
    let invalid = || Permission::Nothing(ErrorReason::CredentialsInvalid);
    let expired = || Permission::Nothing(ErrorReason::CredentialsExpired);
    let long_ago = now_s - 31;
    let mut callers = vec![
        TestCaller::new(
            "nobody",
            String::new(),
            Permission::Nothing(ErrorReason::CredentialsMissing),
        ),
        TestCaller::new("somebody with rubbish", "rubbish".to_owned(), invalid()),
        TestCaller::new("a forger", TestIssuer::stranger().sign(&user), invalid()),
        TestCaller::new(
            "a privileged forger",
            TestIssuer::stranger().sign(&sys),
            invalid(),
        ),
        TestCaller::new(
            "a user of yesterday",
            with(&user, "exp", json!(long_ago)),
            expired(),
        ),
        TestCaller::new(
            "an app of yesterday",
            with(&sys, "exp", json!(long_ago)),
            expired(),
        ),
        TestCaller::new(
            "a user of tomorrow",
            with(&user, "nbf", json!(now_s + 31)),
            invalid(),
        ),
        TestCaller::new(
            "another's user",
            with(&user, "aud", json!("another")),
            invalid(),
        ),
        TestCaller::new(
            "both kinds",
            with(&user, "aud", json!(["postroom", "postroom-sys"])),
            invalid(),
        ),
        TestCaller::new(
            "a user of no app",
            with(&user, "app", json!("a b")),
            invalid(),
        ),
        TestCaller::new("a user", issuer.sign(&user), Permission::User),
        TestCaller::new(
            "a user with scopes",
            with(&user, "scope", json!(ALL_SCOPES)),
            Permission::User,
        ),
        TestCaller::new(
            "a user of another app",
            issuer.user("other", "alice", now_s),
            Permission::User,
        ),
        TestCaller::new(
            "the app without scopes",
            issuer.sys(APP, "", now_s),
            Permission::Sys(String::new()),
        ),
        TestCaller::new(
            "the app with all scopes",
            issuer.sign(&sys),
            Permission::Sys(ALL_SCOPES.to_owned()),
        ),
        TestCaller::new(
            "the app with a profile",
            with(&sys, "sub", json!("bot")),
            Permission::Sys(ALL_SCOPES.to_owned()),
        ),
    ];
    for scope in SCOPES {
        let others: Vec<_> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        for scopes in [scope.to_owned(), others.join(" ")] {
            let token = issuer.sys(APP, &scopes, now_s);
            callers.push(TestCaller::new(
                &format!("the app with {scopes}"),
                token,
                Permission::Sys(scopes),
            ));
        }
    }
    callers
}

/// Calls a method with an empty request.
pub(super) async fn call(stack: &Stack, path: &'static str, token: &str) -> CallOutcome {
    let request = Bearer::new(token)
        .call(Request::new(()))
        .expect("a request");
    let mut client = Grpc::new(stack.clone());
    let codec = ProstCodec::<(), ()>::default();
    // The first message decides, also for a stream that continues.
    let answer = client
        .server_streaming(request, PathAndQuery::from_static(path), codec)
        .await;
    let first = match answer {
        Ok(answer) => answer.into_inner().message().await,
        Err(status) => Err(status),
    };
    let Err(status) = first else {
        return (Code::Ok, None);
    };
    let details = status.get_error_details();
    let reason = details
        .error_info()
        .and_then(|info| ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason)));
    (status.code(), reason)
}

async fn every_method_allows_the_callers_of_its_row_only(test: &TestService) {
    let mut wrong = Vec::new();
    for row in &ROWS {
        let stack = match row.who {
            AllowedCallers::User => &test.listeners.messaging,
            AllowedCallers::Sys(_) => &test.listeners.sys,
        };
        for caller in callers(test.now_s()) {
            let (code, reason) = call(stack, row.path, &caller.token).await;
            let (expected, why) = caller.expected(row);
            if code != expected || (why.is_some() && why != reason) {
                let is = &caller.is;
                wrong.push(format!(
                    "{} by {is}: {code:?} {reason:?}, not {expected:?} {why:?}",
                    row.path
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn a_listener_does_not_serve_the_methods_of_the_other(test: &TestService) {
    for row in &ROWS {
        let stack = match row.who {
            AllowedCallers::User => &test.listeners.sys,
            AllowedCallers::Sys(_) => &test.listeners.messaging,
        };
        for caller in callers(test.now_s()) {
            let (code, _) = call(stack, row.path, &caller.token).await;
            assert_eq!(code, Code::Unimplemented, "{} by {}", row.path, caller.is);
        }
    }
}

on_each_database![
    every_method_allows_the_callers_of_its_row_only,
    a_listener_does_not_serve_the_methods_of_the_other,
];

#[test]
fn every_method_of_the_descriptors_has_its_row() {
    let described: BTreeSet<_> = [proto::MESSAGING_DESCRIPTOR_SET, proto::SYS_DESCRIPTOR_SET]
        .into_iter()
        .flat_map(paths)
        .collect();
    let in_table: BTreeSet<_> = ROWS.iter().map(|row| row.path.to_owned()).collect();
    assert_eq!(described, in_table);
}

fn paths(descriptors: &[u8]) -> Vec<String> {
    let pool = prost_reflect::DescriptorPool::decode(descriptors).expect("descriptors");
    let methods = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    let path = |method: prost_reflect::MethodDescriptor| {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    };
    methods.map(path).collect()
}
