//! Tokens made with the development key.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use domain::{AppId, ProfileId};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::{DevKey, ISSUER};
use crate::config::Lifetime;

const SCOPES: [&str; 5] = ["sys.read", "sys.send", "sys.write", "sys.bulk", "sys.admin"];

/// Whom a token is for.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A user, who calls `Messaging`.
    User {
        /// The profile.
        id: ProfileId,
        /// What recipients are shown.
        name: Option<String>,
    },
    /// The app, which calls `Sys`.
    Sys {
        /// Who it is, for the audit log.
        id: Option<ProfileId>,
        /// What it may do.
        scopes: Scopes,
    },
}

/// What a privileged caller may do.
#[derive(Debug, Clone)]
pub struct Scopes(Vec<&'static str>);

impl Default for Scopes {
    fn default() -> Self {
        Self(SCOPES.to_vec())
    }
}

impl FromStr for Scopes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split([' ', ',']).filter(|name| !name.is_empty());
        names
            .map(|name| {
                let known = SCOPES.into_iter().find(|scope| *scope == name);
                known.ok_or_else(|| format!("{name:?} is none of {}", SCOPES.join(", ")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
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
    /// A token for a caller of an app, good from now on for that long.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn mint(&self, app: &AppId, caller: &Caller, lifetime: Lifetime) -> anyhow::Result<String> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let exp = iat + lifetime.seconds().unsigned_abs();
        let claims = match caller {
            Caller::User { id, name } => Claims {
                iss: ISSUER,
                aud: "postroom",
                iat,
                exp,
                app: app.as_str(),
                sub: Some(id.as_str()),
                name: name.as_deref(),
                scope: None,
            },
            Caller::Sys { id, scopes } => Claims {
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
        jsonwebtoken::encode(&header, &claims, &self.encoding).context("the token was not signed")
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
    fn a_token_is_verified_by_the_public_half() {
        let path = std::env::temp_dir().join(format!("postroom-key-{}", uuid::Uuid::now_v7()));
        let data = DataDir::create(&path).expect("a directory");
        let app = AppId::parse("demo").expect("an app");
        let id = ProfileId::parse("alice").expect("a profile");
        let caller = Caller::User { id, name: None };

        DevKey::create(&data).expect("a key");
        let key = DevKey::create(&data).expect("the same key");
        let token = key
            .mint(&app, &caller, "1h".parse().expect("an hour"))
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
    fn scopes_are_separated_by_spaces_or_commas() {
        let scopes: Scopes = "sys.read sys.send,sys.bulk".parse().expect("scopes");
        assert_eq!(scopes.0, ["sys.read", "sys.send", "sys.bulk"]);
        assert!("sys.all".parse::<Scopes>().is_err());
    }
}
