//! The bearer token in the headers of a call.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::limits::TOKEN_BYTES_MAX;
use crate::{Error, TokenError};

const SCHEME: &str = "bearer";

/// Returns the token of a call.
///
/// # Errors
/// [`Error::Missing`] without an `authorization` header, [`Error::Invalid`] if there are several
/// headers, another scheme, or a token longer than [`TOKEN_BYTES_MAX`].
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::Missing)?;
    if values.next().is_some() {
        return Err(TokenError::Ambiguous.into());
    }
    Ok(parse(value.to_str().unwrap_or_default())?)
}

fn parse(text: &str) -> Result<&str, TokenError> {
    let (scheme, token) = text.trim().split_once(' ').ok_or(TokenError::NotBearer)?;
    let token = token.trim_start();
    if !scheme.eq_ignore_ascii_case(SCHEME) || token.contains([' ', ',']) {
        return Err(TokenError::NotBearer);
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::TooLong);
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
            assert_eq!(parse(text), Err(TokenError::NotBearer), "{text:?}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_rejected() {
        let token = "x".repeat(TOKEN_BYTES_MAX);
        assert_eq!(parse(&format!("Bearer {token}")), Ok(&*token));
        assert_eq!(parse(&format!("Bearer {token}x")), Err(TokenError::TooLong));
    }

    #[test]
    fn a_second_header_is_rejected_even_if_equal() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), Err(Error::Missing));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        assert_eq!(token(&headers), Ok("a.b.c"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        let ambiguous = Error::Invalid(TokenError::Ambiguous);
        assert_eq!(token(&headers), Err(ambiguous));
    }
}
