//! Issuers of tokens, as configured.

use std::net::IpAddr;
use std::path::PathBuf;

use domain::AppId;
use serde::{Deserialize, Deserializer, de};

/// Issuer of tokens, an `[[issuer]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// `iss` claim of the tokens.
    pub iss: String,
    /// Public keys.
    pub jwks: Jwks,
    /// Apps that the issuer may speak for.
    pub apps: AllowedApps,
    /// Kinds of callers that the issuer may speak for.
    pub kinds: Vec<CallerKind>,
}

/// Kind of a caller, by the audience of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// A user, who calls `Messaging`; the audience is `postroom`.
    User,
    /// The app, which calls `Sys`; the audience is `postroom-sys`.
    Sys,
}

/// Location of an issuer's JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Jwks {
    /// A file.
    File(PathBuf),
    /// A URL.
    Url(String),
    /// The document itself, for issuers that the program creates.
    Inline(String),
}

impl Jwks {
    /// Returns true if the keys come over plain HTTP from another machine.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        let Self::Url(url) = self else { return false };
        reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl From<String> for Jwks {
    fn from(text: String) -> Self {
        if text.starts_with("https://") || text.starts_with("http://") {
            Self::Url(text)
        } else {
            Self::File(text.into())
        }
    }
}

/// Apps that an issuer may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedApps {
    /// Any app, written `"*"`.
    All,
    /// A list of at least one app.
    Listed(Vec<AppId>),
}

impl AllowedApps {
    /// Returns true if the app is allowed.
    #[must_use]
    pub fn include(&self, app: &AppId) -> bool {
        match self {
            Self::All => true,
            Self::Listed(apps) => apps.contains(app),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedApps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Star(String),
            List(Vec<String>),
        }

        match Written::deserialize(deserializer) {
            Ok(Written::Star(star)) if star == "*" => Ok(Self::All),
            Ok(Written::List(ids)) if !ids.is_empty() => {
                let apps = ids.iter().map(|id| app(id)).collect::<Result<_, _>>()?;
                Ok(Self::Listed(apps))
            }
            _ => Err(de::Error::custom("must be \"*\" or a list of app ids")),
        }
    }
}

fn app<E: de::Error>(id: &str) -> Result<AppId, E> {
    AppId::parse(id).map_err(|error| E::custom(format!("the app id {id:?} {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issuer(jwks: &str, apps: &serde_json::Value) -> Result<Issuer, String> {
        let issuer = json!({ "iss": "i", "jwks": jwks, "apps": apps, "kinds": ["user", "sys"] });
        serde_json::from_value(issuer).map_err(|error| error.to_string())
    }

    #[test]
    fn an_issuer_may_speak_for_its_listed_apps() {
        let chess = AppId::parse("chess").expect("an app");
        let go = AppId::parse("go").expect("an app");
        let apps = issuer("keys.json", &json!(["chess"])).expect("valid").apps;
        assert!(apps.include(&chess) && !apps.include(&go));
        let apps = issuer("keys.json", &json!("*")).expect("valid").apps;
        assert!(apps.include(&chess) && apps.include(&go));
    }

    #[test]
    fn jwks_are_a_file_unless_they_are_a_url() {
        let jwks = |text| issuer(text, &json!("*")).expect("valid").jwks;
        assert_eq!(jwks("keys.json"), Jwks::File("keys.json".into()));
        assert_eq!(jwks("https://i/k"), Jwks::Url("https://i/k".to_owned()));
    }

    #[test]
    fn plain_http_is_secure_only_on_loopback() {
        for (url, insecure) in [
            ("http://127.0.0.1:1/k", false),
            ("http://[::1]/k", false),
            ("http://localhost/k", false),
            ("https://keys.example/k", false),
            ("http://keys.example/k", true),
            ("http://127.0.0.1.example/k", true),
            ("http://127.0.0.1@keys.example/k", true),
        ] {
            assert_eq!(Jwks::from(url.to_owned()).is_insecure(), insecure, "{url}");
        }
    }

    #[test]
    fn malformed_apps_are_rejected() {
        for apps in [json!("chess"), json!([]), json!(["a b"]), json!(3)] {
            assert!(issuer("keys.json", &apps).is_err(), "{apps}");
        }
        assert!(serde_json::from_value::<Issuer>(json!({ "isss": "i" })).is_err());
    }
}
