//! Tokens of the shapes that identity providers issue, on both listeners.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use auth::testing::{NOW, SigningKey, TestClock, jwks, with};
use auth::{Authenticator, Issuer, Jwks};
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::Code;
use tonic::body::Body;

use super::support::*;
use crate::stack::Config;
use crate::stack::ServiceName::{Messaging, Sys};
use crate::{Proof as _, System, User};

/// Claims of identity providers, as their documentation and their tokens show them.
const TOKENS: &str = include_str!("providers.json");
/// Configuration with the examples of issuers.
const DEFAULT_FILE: &str = include_str!("../../../../../services/server/postroom.toml");
/// Further issuers, as the documentation of deployments describes them.
const FURTHER: &str = include_str!("../../../../../deploy/issuers.toml");

static RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::rsa("r"));
static P256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::p256("p"));

#[derive(Deserialize)]
struct IssuerList {
    issuer: Vec<Issuer>,
}

/// Token of a provider, and its results on both listeners.
#[derive(Deserialize)]
struct ProviderToken {
    name: String,
    algorithm: Option<String>,
    claims: Value,
    messaging: String,
    sys: String,
}

/// The issuers of both files, with keys of the tests.
fn issuers() -> Vec<Issuer> {
    let begin = DEFAULT_FILE.find("# Issuers of tokens").expect("issuers");
    let end = DEFAULT_FILE.find("\n[policy]").expect("an end");
    let examples = DEFAULT_FILE[begin..end].lines().map(uncommented);
    let examples = examples.collect::<Vec<_>>().join("\n");
    let files = [examples.as_str(), FURTHER].into_iter();
    let issuers =
        files.flat_map(|text| toml::from_str::<IssuerList>(text).expect("issuers").issuer);
    let document = jwks([&*RSA, &*P256]);
    issuers
        .map(|issuer| Issuer {
            jwks: Jwks::Inline(document.clone()),
            ..issuer
        })
        .collect()
}

fn uncommented(line: &str) -> &str {
    let is_key = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("[[") => rest,
        Some(rest) if rest.split_once(" = ").is_some_and(|(name, _)| is_key(name)) => rest,
        _ => line,
    }
}

fn call_with(path: &str, token: &ProviderToken) -> Request<Body> {
    let key = match token.algorithm {
        Some(_) => &*P256,
        None => &*RSA,
    };
    let claims = with(token.claims.clone(), "iat", json!(NOW - 60));
    let signed = key.sign(&with(claims, "exp", json!(NOW + 3_540)));
    with_header(call(path), "authorization", &format!("Bearer {signed}"))
}

/// Result of a call: the identity that the handler has, or the reason of the refusal.
async fn results(authenticator: &Arc<Authenticator>, token: &ProviderToken) -> [String; 2] {
    let authenticate = |service| {
        let authenticator = authenticator.clone();
        move |config| Config {
            service,
            authenticator,
            ..config
        }
    };
    let messaging = configured(authenticate(Messaging), async |call| {
        let user = User::of(&tonic::Request::from_http(call)).expect("a user");
        let sender = user.sender();
        let shown = format!("{} of {}, {:?}", user.profile(), user.app(), sender.name);
        tonic::Status::cancelled(shown).into_http()
    });
    let sys = configured(authenticate(Sys), async |call| {
        let system = System::of(&tonic::Request::from_http(call)).expect("an app");
        tonic::Status::cancelled(format!("app {}", system.app())).into_http()
    });
    let [messaging, sys] = [(messaging.await, SEND), (sys.await, SYS_SEND)];
    let mut results = [String::new(), String::new()];
    for (result, (stack, path)) in results.iter_mut().zip([messaging, sys]) {
        let answer = status(run(&stack, call_with(path, token)).await).await;
        *result = match answer.code() {
            Code::Cancelled => answer.message().to_owned(),
            _ => ending(&stack, call_with(path, token)).await.1,
        };
    }
    results
}

#[tokio::test]
async fn tokens_of_providers_have_the_access_that_the_configuration_gives_them() {
    let authenticator = Authenticator::start(issuers(), TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    let mut table = String::new();
    let mut wrong = Vec::new();
    let tokens: Vec<ProviderToken> = serde_json::from_str(TOKENS).expect("tokens");
    for token in tokens {
        let [messaging, sys] = results(&authenticator, &token).await;
        let name = token.name;
        writeln!(table, "{name:<25} | {messaging:<59} | {sys}").expect("a text");
        if (&messaging, &sys) != (&token.messaging, &token.sys) {
            wrong.push((name, messaging, sys));
        }
    }
    println!("{:<25} | {:<59} | Sys\n{table}", "provider", "Messaging");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
