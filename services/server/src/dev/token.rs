//! Tokens signed with the development key.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use auth::Scope;
use domain::{AppId, ProfileId};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::{DevKey, ISSUER};
use crate::config::Lifetime;

/// Kind of a token, with the claims of its own.
#[derive(Debug, Clone)]
pub enum TokenKind {
    /// Token of a user of `Messaging`.
    User {
        /// Profile id.
        id: ProfileId,
        /// Name that recipients are shown.
        name: Option<String>,
    },
    /// Token of a privileged caller of `Sys`.
    Sys {
        /// Id of the caller for the audit log.
        id: Option<ProfileId>,
        /// Granted scopes.
        scopes: ScopeList,
    },
}

/// Scopes of a privileged caller. Default: all.
#[derive(Debug, Clone)]
pub struct ScopeList(Vec<&'static str>);

impl Default for ScopeList {
    fn default() -> Self {
        Self(Scope::ALL.map(Scope::as_str).to_vec())
    }
}

impl FromStr for ScopeList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let scopes = Scope::ALL.map(Scope::as_str);
        let names = text.split([' ', ',']).filter(|name| !name.is_empty());
        names
            .map(|name| {
                let known = scopes.into_iter().find(|scope| *scope == name);
                known.ok_or_else(|| format!("{name:?} is not one of {}", scopes.join(", ")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[derive(Serialize)]
struct DevClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    app: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl DevKey {
    /// Creates a token for a caller of an app that expires after `lifetime`.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn mint(
        &self,
        app: &AppId,
        kind: &TokenKind,
        lifetime: Lifetime,
    ) -> anyhow::Result<String> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let exp = iat + lifetime.seconds().unsigned_abs();
        let claims = match kind {
            TokenKind::User { id, name } => DevClaims {
                iss: ISSUER,
                aud: "postroom",
                iat,
                exp,
                app: app.as_str(),
                sub: Some(id.as_str()),
                name: name.as_deref(),
                scope: None,
            },
            TokenKind::Sys { id, scopes } => DevClaims {
                iss: ISSUER,
                aud: "postroom-sys",
                iat,
                exp,
                app: app.as_str(),
                sub: id.as_ref().map(ProfileId::as_str),
                name: None,
                scope: Some(scopes.0.join(" ")),
            },
        };
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.encoding)
            .context("the token could not be signed")
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;
    use crate::dev::DataDir;

    #[test]
    fn a_token_is_verified_with_the_public_half() {
        let path = std::env::temp_dir().join(format!("postroom-key-{}", uuid::Uuid::now_v7()));
        let data = DataDir::create(&path).expect("a directory");
        let app = AppId::parse("demo").expect("an app");
        let id = ProfileId::parse("alice").expect("a profile");
        let kind = TokenKind::User { id, name: None };

        DevKey::create(&data).expect("a key");
        let key = DevKey::create(&data).expect("the same key");
        let token = key
            .mint(&app, &kind, "1h".parse().expect("an hour"))
            .expect("a token");

        let jwks = std::fs::read(DevKey::jwks(&data)).expect("a file");
        let jwks: JwkSet = serde_json::from_slice(&jwks).expect("a set of keys");
        let jwk = jwks.find(&key.kid).expect("its key");
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&["postroom"]);
        rules.set_issuer(&[ISSUER]);
        let public = DecodingKey::from_jwk(jwk).expect("a public key");
        let claims = jsonwebtoken::decode::<Value>(&token, &public, &rules)
            .expect("valid")
            .claims;
        assert_eq!(
            (&claims["sub"], &claims["app"]),
            (&"alice".into(), &"demo".into())
        );
        std::fs::remove_dir_all(path).expect("an end");
    }

    #[test]
    fn a_scope_list_is_separated_by_spaces_or_commas() {
        let scopes: ScopeList = "sys.read sys.send,sys.bulk".parse().expect("scopes");
        assert_eq!(scopes.0, ["sys.read", "sys.send", "sys.bulk"]);
        assert!("sys.all".parse::<ScopeList>().is_err());
    }
}
