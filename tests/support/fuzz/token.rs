//! Bearer tokens: any text, any header and claims, and any claims that are signed.

use std::sync::{Arc, LazyLock};

use auth::Authenticator;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use storage::Clock as _;
use storage_sql::SystemClock;
use tokio::runtime::Runtime;

use super::{FuzzTarget, formed};
use crate::issuer::{ALL_SCOPES, APP, TestIssuer, sys_claims, user_claims};

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "token",
    run,
    seeds,
};

static VERIFIER: LazyLock<(Runtime, Arc<Authenticator>)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let issuers = vec![TestIssuer::shared().config()];
    let authenticator = runtime.block_on(Authenticator::start(issuers, Arc::new(SystemClock)));
    (runtime, authenticator.expect("an authenticator"))
});

fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    let text = match form % 3 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        1 => {
            let parts = rest.split(|byte| *byte == b'\n');
            let parts: Vec<_> = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
            parts.join(".")
        }
        _ => match serde_json::from_slice::<Value>(rest) {
            Ok(claims) => TestIssuer::shared().sign(&claims),
            Err(_) => return false,
        },
    };
    let Ok(value) = HeaderValue::from_str(&format!("Bearer {text}")) else {
        return false;
    };
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let (runtime, authenticator) = &*VERIFIER;
    let authenticated = runtime.block_on(authenticator.authenticate(&headers, None));
    // Nobody else has the key.
    assert!(authenticated.is_err() || form % 3 == 2 || is_seed(&text));
    authenticated.is_ok()
}

/// True if the token begins as one that was signed, which is in a seed.
fn is_seed(text: &str) -> bool {
    seeds().iter().any(|seed| {
        let signed = String::from_utf8_lossy(&seed[1..]);
        let body = signed.rsplit_once('.').map(|(body, _)| body.to_owned());
        body.is_some_and(|body| text.trim().starts_with(&body))
    })
}

fn seeds() -> Vec<Vec<u8>> {
    static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let (issuer, now) = (TestIssuer::shared(), SystemClock.now().expect("a time"));
        let user = user_claims(APP, "alice", now.ms.0 / 1000);
        let sys = sys_claims(APP, ALL_SCOPES, now.ms.0 / 1000);
        let header = br#"{"alg":"EdDSA","kid":"test","typ":"JWT"}"#;
        let unsigned = [&header[..], user.to_string().as_bytes(), &[0; 64]].join(&b'\n');
        vec![
            formed(0, issuer.sign(&user)),
            formed(1, unsigned),
            formed(2, user.to_string()),
            formed(2, sys.to_string()),
        ]
    });
    SEEDS.clone()
}
