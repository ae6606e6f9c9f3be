mod issuers;
mod keys;
mod tokens;

use http::HeaderValue;
use http::header::AUTHORIZATION;

use super::*;

async fn ask(authenticator: &Authenticator, token: &str) -> Result<Caller, RpcError> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, value);
    authenticator
        .admit(&headers)
        .await
        .map(|admitted| admitted.caller)
}

async fn refusal(authenticator: &Authenticator, token: &str) -> Refused {
    match ask(authenticator, token).await {
        Err(RpcError::CredentialsInvalid(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}
