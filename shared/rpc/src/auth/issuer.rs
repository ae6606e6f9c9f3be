//! Who may make tokens, as the configuration says it.

use std::net::IpAddr;
use std::path::PathBuf;

use domain::AppId;
use serde::{Deserialize, Deserializer, de};

/// An issuer of tokens, an `[[issuer]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` claim of its tokens.
    pub iss: String,
    /// Its public keys.
    pub jwks: Jwks,
    /// The apps it speaks for.
    pub apps: Apps,
    /// The kinds of callers it speaks for.
    pub kinds: Vec<Kind>,
}

/// A kind of caller. The audience of a token says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A user, who calls `Messaging`; the audience is `postroom`.
    User,
    /// The app, which calls `Sys`; the audience is `postroom-sys`.
    Sys,
}

/// Where an issuer's public keys are, as a JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Jwks {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(String),
    /// Here: for issuers that the program itself makes.
    Inline(String),
}

impl Jwks {
    /// Whether the keys come over a network that others may write to.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
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

/// The apps that an issuer speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apps {
    /// Any, written `"*"`.
    All,
    /// These, and at least one.
    Listed(Vec<AppId>),
}

impl Apps {
    /// Whether the issuer speaks for an app.
    #[must_use]
    pub fn include(&self, app: &AppId) -> bool {
        match self {
            Self::All => true,
            Self::Listed(apps) => apps.contains(app),
        }
    }
}

impl<'de> Deserialize<'de> for Apps {
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
    fn an_issuer_speaks_for_the_apps_that_it_lists() {
        let chess = AppId::parse("chess").expect("an app");
        let go = AppId::parse("go").expect("an app");
        let apps = issuer("keys.json", &json!(["chess"])).expect("valid").apps;
        assert!(apps.include(&chess) && !apps.include(&go));
        let apps = issuer("keys.json", &json!("*")).expect("valid").apps;
        assert!(apps.include(&chess) && apps.include(&go));
    }

    #[test]
    fn keys_are_a_file_unless_they_are_an_address() {
        let jwks = |text| issuer(text, &json!("*")).expect("valid").jwks;
        assert_eq!(jwks("keys.json"), Jwks::File("keys.json".into()));
        assert_eq!(jwks("https://i/k"), Jwks::Url("https://i/k".to_owned()));
    }

    #[test]
    fn keys_come_over_plain_http_from_this_machine_only() {
        for (url, open) in [
            ("http://127.0.0.1:1/k", false),
            ("http://[::1]/k", false),
            ("http://localhost/k", false),
            ("https://keys.example/k", false),
            ("http://keys.example/k", true),
            ("http://127.0.0.1.example/k", true),
            ("http://127.0.0.1@keys.example/k", true),
        ] {
            assert_eq!(
                Jwks::from(url.to_owned()).is_open_to_others(),
                open,
                "{url}"
            );
        }
    }

    #[test]
    fn apps_that_are_no_list_of_ids_are_refused() {
        for apps in [json!("chess"), json!([]), json!(["a b"]), json!(3)] {
            assert!(issuer("keys.json", &apps).is_err(), "{apps}");
        }
        assert!(serde_json::from_value::<Issuer>(json!({ "isss": "i" })).is_err());
    }
}
