mod addresses;
mod issuers;
mod keys;
mod tokens;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::{Authenticator, Error, Identity, TokenError};

async fn authenticate(authenticator: &Authenticator, token: &str) -> Result<Identity, Error> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, value);
    let authenticated = authenticator.authenticate(&headers, None).await?;
    Ok(authenticated.identity)
}

async fn rejection(authenticator: &Authenticator, token: &str) -> TokenError {
    match authenticate(authenticator, token).await {
        Err(Error::Invalid(error)) => error,
        other => panic!("not rejected: {other:?}"),
    }
}
