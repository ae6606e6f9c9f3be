//! Failed checks of tokens, by the address of the caller.

use std::net::IpAddr;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::time::advance;

use crate::limits::{FAILED_CHECKS_MAX, FAILED_CHECKS_WINDOW};
use crate::testing::*;
use crate::{Authenticator, Error, Jwks, TokenError};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

/// Returns the error of a token from an address.
async fn error(
    authenticator: &Authenticator,
    token: &str,
    address: Option<IpAddr>,
) -> Option<Error> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, value);
    authenticator.authenticate(&headers, address).await.err()
}

#[tokio::test(start_paused = true)]
async fn tokens_of_an_address_with_many_invalid_ones_are_not_verified() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let known = key.sign(&user_claims());
    let unknown = key.sign(&with(user_claims(), "sub", json!("bob")));
    let forged = SigningKey::ed25519("e").sign(&user_claims());
    let address = Some(ADDRESS);
    assert_eq!(error(&authenticator, &known, address).await, None);
    for _ in 0..FAILED_CHECKS_MAX {
        let error = error(&authenticator, &forged, address).await;
        assert_eq!(error, Some(Error::Invalid(TokenError::Signature)));
    }
    for token in [&forged, &unknown] {
        let error = error(&authenticator, token, address).await;
        let retry_after = FAILED_CHECKS_WINDOW;
        assert_eq!(error, Some(Error::TooManyFailures { retry_after }));
    }
    assert_eq!(error(&authenticator, &known, address).await, None);
    for address in [Some(OTHER), None] {
        let error = error(&authenticator, &forged, address).await;
        assert_eq!(error, Some(Error::Invalid(TokenError::Signature)));
    }
    advance(FAILED_CHECKS_WINDOW).await;
    assert_eq!(error(&authenticator, &unknown, address).await, None);
}

#[tokio::test(start_paused = true)]
async fn tokens_without_known_keys_do_not_count_as_invalid() {
    let issuers = vec![issuer(Jwks::Url("http://127.0.0.1:1/".to_owned()))];
    let authenticator = Authenticator::start(issuers, TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    let token = SigningKey::ed25519("e").sign(&user_claims());
    for _ in 0..=FAILED_CHECKS_MAX {
        let error = error(&authenticator, &token, Some(ADDRESS)).await;
        assert!(
            matches!(error, Some(Error::KeysUnavailable { .. })),
            "{error:?}"
        );
    }
}
