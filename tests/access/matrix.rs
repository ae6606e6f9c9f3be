//! Every method, called by every kind of caller.

use std::collections::BTreeSet;

use proto::v1::ErrorReason;
use rpc::stack::Stack;
use serde_json::json;
use support::issuer::{ALL_SCOPES, APP, Issuer, sys_claims, user_claims};
use support::on_each_database;
use support::service::{Bearer, TestService};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Interceptor as _;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use super::table::{ROWS, Row, Who};

/// Each privilege that there is.
const SCOPES: [&str; 5] = ["sys.read", "sys.send", "sys.write", "sys.bulk", "sys.admin"];

/// Somebody who calls.
struct Caller {
    is: String,
    token: String,
    may: May,
}

/// What somebody who calls may do.
enum May {
    /// All that users may.
    User,
    /// What these scopes allow.
    Sys(String),
    /// Nothing: there is nobody to speak of.
    Nothing(ErrorReason),
}

pub(super) type Told = (Code, Option<ErrorReason>);

impl Caller {
    fn new(is: &str, token: String, may: May) -> Self {
        Self {
            is: is.to_owned(),
            token,
            may,
        }
    }

    /// What they must be told. A reason is expected of refusals only.
    fn expected(&self, row: &Row) -> Told {
        match (&self.may, row.who) {
            (May::Nothing(reason), _) => (Code::Unauthenticated, Some(*reason)),
            (May::User, Who::User) => (row.then, None),
            (May::Sys(scopes), Who::Sys(scope)) if scopes.split(' ').any(|one| one == scope) => {
                (row.then, None)
            }
            (May::User | May::Sys(_), Who::Sys(_)) => {
                (Code::PermissionDenied, Some(ErrorReason::SysScopeRequired))
            }
            (May::Sys(_), Who::User) => {
                (Code::PermissionDenied, Some(ErrorReason::ProfileRequired))
            }
        }
    }
}

fn callers(now_s: i64) -> Vec<Caller> {
    let issuer = Issuer::shared();
    let (user, sys) = (
        user_claims(APP, "alice", now_s),
        sys_claims(APP, ALL_SCOPES, now_s),
    );
    let with = |claims: &serde_json::Value, name: &str, value| {
        let mut claims = claims.clone();
        claims[name] = value;
        issuer.sign(&claims)
    };
    let invalid = || May::Nothing(ErrorReason::CredentialsInvalid);
    let expired = || May::Nothing(ErrorReason::CredentialsExpired);
    let long_ago = now_s - 31;
    let mut callers = vec![
        Caller::new(
            "nobody",
            String::new(),
            May::Nothing(ErrorReason::CredentialsMissing),
        ),
        Caller::new("somebody with rubbish", "rubbish".to_owned(), invalid()),
        Caller::new("a forger", Issuer::stranger().sign(&user), invalid()),
        Caller::new(
            "a privileged forger",
            Issuer::stranger().sign(&sys),
            invalid(),
        ),
        Caller::new(
            "a user of yesterday",
            with(&user, "exp", json!(long_ago)),
            expired(),
        ),
        Caller::new(
            "an app of yesterday",
            with(&sys, "exp", json!(long_ago)),
            expired(),
        ),
        Caller::new(
            "a user of tomorrow",
            with(&user, "nbf", json!(now_s + 31)),
            invalid(),
        ),
        Caller::new(
            "another's user",
            with(&user, "aud", json!("another")),
            invalid(),
        ),
        Caller::new(
            "both kinds",
            with(&user, "aud", json!(["postroom", "postroom-sys"])),
            invalid(),
        ),
        Caller::new(
            "a user of no app",
            with(&user, "app", json!("a b")),
            invalid(),
        ),
        Caller::new("a user", issuer.sign(&user), May::User),
        Caller::new(
            "a user with scopes",
            with(&user, "scope", json!(ALL_SCOPES)),
            May::User,
        ),
        Caller::new(
            "a user of another app",
            issuer.user("other", "alice", now_s),
            May::User,
        ),
        Caller::new(
            "the app without scopes",
            issuer.sys(APP, "", now_s),
            May::Sys(String::new()),
        ),
        Caller::new(
            "the app with all scopes",
            issuer.sign(&sys),
            May::Sys(ALL_SCOPES.to_owned()),
        ),
        Caller::new(
            "the app with a profile",
            with(&sys, "sub", json!("bot")),
            May::Sys(ALL_SCOPES.to_owned()),
        ),
    ];
    for scope in SCOPES {
        let others: Vec<_> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        for scopes in [scope.to_owned(), others.join(" ")] {
            let token = issuer.sys(APP, &scopes, now_s);
            callers.push(Caller::new(
                &format!("the app with {scopes}"),
                token,
                May::Sys(scopes),
            ));
        }
    }
    callers
}

/// Calls a method with an empty request.
pub(super) async fn call(stack: &Stack, path: &'static str, token: &str) -> Told {
    let request = Bearer::new(token)
        .call(Request::new(()))
        .expect("a request");
    let mut client = Grpc::new(stack.clone());
    let codec = ProstCodec::<(), ()>::default();
    // The first message tells, also of a stream that goes on.
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

async fn every_caller_may_do_what_the_table_says_and_nothing_else(test: &TestService) {
    let mut wrong = Vec::new();
    for row in &ROWS {
        let stack = match row.who {
            Who::User => &test.listeners.messaging,
            Who::Sys(_) => &test.listeners.sys,
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

async fn the_methods_of_the_other_listener_are_not_there_whoever_calls(test: &TestService) {
    for row in &ROWS {
        let stack = match row.who {
            Who::User => &test.listeners.sys,
            Who::Sys(_) => &test.listeners.messaging,
        };
        for caller in callers(test.now_s()) {
            let (code, _) = call(stack, row.path, &caller.token).await;
            assert_eq!(code, Code::Unimplemented, "{} by {}", row.path, caller.is);
        }
    }
}

on_each_database![
    every_caller_may_do_what_the_table_says_and_nothing_else,
    the_methods_of_the_other_listener_are_not_there_whoever_calls,
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
