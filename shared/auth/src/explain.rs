//! Explanations of rejected tokens, for the operator.

use std::fmt::Debug;

use crate::token::Token;
use crate::{AppSource, Authenticator, Issuer, TokenError};

impl Authenticator {
    /// Returns the settings or keys that a rejected token was held against; none where the reason
    /// says all. For the operator: they are the configuration's.
    #[must_use]
    pub fn explain(&self, token: &str, error: TokenError) -> Option<String> {
        if error == TokenError::Issuer {
            return Some(format!("configured issuers: {}", listed(self.issuers())));
        }
        let token = Token::parse(token).ok()?;
        if error == TokenError::Audience {
            let issuers = self.namesakes(token.unverified().iss().ok()?);
            let audiences = issuers.flat_map(Issuer::audiences);
            return Some(format!("audiences of the issuer: {}", listed(audiences)));
        }
        let (issuer, keys) = self.held_against(&token).ok()?;
        match error {
            TokenError::Key => {
                let keys = listed(keys?.ids());
                Some(format!(
                    "the token names {:?}, the issuer has {keys}",
                    token.key_id
                ))
            }
            TokenError::Kind => Some(format!("kinds of the issuer: {}", listed(&issuer.kinds))),
            TokenError::ForeignApp => Some(format!("apps of the issuer: {:?}", issuer.apps)),
            TokenError::Profile => Some(format!("expected in {:?}", issuer.subject_claim.names())),
            TokenError::Required => Some(format!("required: {}", listed(&issuer.require))),
            TokenError::Type => Some(format!("token_type: {:?}", issuer.token_type)),
            TokenError::LongLived => Some(format!("max_token_life: {:#}", issuer.max_token_life)),
            TokenError::App => match &issuer.app {
                AppSource::Claim(path) => Some(format!("expected in {:?}", path.names())),
                AppSource::Fixed(_) => None,
            },
            _ => None,
        }
    }
}

fn listed<T: Debug>(items: impl IntoIterator<Item = T>) -> String {
    let texts = items.into_iter().map(|item| format!("{item:?}"));
    texts.collect::<Vec<_>>().join(", ")
}
