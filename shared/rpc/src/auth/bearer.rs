//! The token in a call's headers.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Refused;
use crate::error::RpcError;
use crate::limits::TOKEN_BYTES_MAX;

const SCHEME: &str = "bearer";

/// The token of a call.
///
/// # Errors
/// If there is none, or more than one, or it is too long to be looked at.
pub(super) fn token(headers: &HeaderMap) -> Result<&str, RpcError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(RpcError::CredentialsMissing)?;
    if values.next().is_some() {
        return Err(RpcError::CredentialsInvalid(Refused::Ambiguous));
    }
    let text = value.to_str().unwrap_or_default();
    parse(text).map_err(RpcError::CredentialsInvalid)
}

fn parse(text: &str) -> Result<&str, Refused> {
    let (scheme, token) = text.trim().split_once(' ').ok_or(Refused::NotBearer)?;
    let token = token.trim_start();
    if !scheme.eq_ignore_ascii_case(SCHEME) || token.contains([' ', ',']) {
        return Err(Refused::NotBearer);
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Refused::TooLong);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for text in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
            assert_eq!(parse(text), Ok("a.b.c"), "{text:?}");
        }
        for text in [
            "",
            "a.b.c",
            "Basic a.b.c",
            "Bearer",
            "Bearer a.b.c, Bearer d",
        ] {
            assert_eq!(parse(text), Err(Refused::NotBearer), "{text:?}");
        }
    }

    #[test]
    fn a_long_token_is_refused_unseen() {
        let token = "x".repeat(TOKEN_BYTES_MAX);
        assert_eq!(parse(&format!("Bearer {token}")), Ok(&*token));
        assert_eq!(parse(&format!("Bearer {token}x")), Err(Refused::TooLong));
    }

    #[test]
    fn two_headers_are_refused_also_when_they_are_equal() {
        let mut headers = HeaderMap::new();
        assert!(matches!(token(&headers), Err(RpcError::CredentialsMissing)));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        assert!(matches!(token(&headers), Ok("a.b.c")));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        assert!(matches!(
            token(&headers),
            Err(RpcError::CredentialsInvalid(Refused::Ambiguous))
        ));
    }
}
