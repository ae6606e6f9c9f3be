//! Issuers of tokens, as configured.

mod claim_path;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use domain::AppId;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de};

pub use claim_path::{AppSource, ClaimPath};

use crate::Scopes;
use crate::limits::{KEYS_STALE_HOURS, TOKEN_LIFE_HOURS};
use claim_path::OneOrMany;

/// Issuer of tokens for an audience, an `[[issuer]]` of the configuration. An issuer with several
/// audiences is several of these.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// `iss` claim of the tokens.
    pub iss: String,
    /// Public keys.
    pub jwks: Jwks,
    /// Kinds of callers that the issuer may speak for.
    pub kinds: Vec<CallerKind>,
    /// Audiences of the tokens. Default: that of each kind.
    #[serde(default, deserialize_with = "audiences")]
    pub audience: Option<Vec<String>>,
    /// Claim of the audience, a text or a list. Default `aud`.
    #[serde(default = "claims::audience")]
    pub audience_claim: ClaimPath,
    /// App of the tokens. Default: claim `app`.
    #[serde(default)]
    pub app: AppSource,
    /// Apps that the issuer may speak for, if a claim names them.
    pub apps: Option<AllowedApps>,
    /// Claim of the profile id. Default `sub`.
    #[serde(default = "claims::subject")]
    pub subject_claim: ClaimPath,
    /// Claim of the sender's name. Default `name`.
    #[serde(default = "claims::name")]
    pub name_claim: ClaimPath,
    /// Claim of the sender's picture. Default: `pic`, else `picture`.
    pub picture_claim: Option<ClaimPath>,
    /// Claim of the scopes, a text or a list. Default `scope`.
    #[serde(default = "claims::scope")]
    pub scope_claim: ClaimPath,
    /// Beginning of the scopes that are Postroom's, such as `postroom/`. Default: empty.
    #[serde(default)]
    pub scope_prefix: String,
    /// Scopes of all tokens for the app, instead of those in a claim.
    pub scopes: Option<Scopes>,
    /// Claims that a token must have, with their values. Default: none.
    #[serde(default)]
    pub require: BTreeMap<String, String>,
    /// Maximum time from the issue of a token to its expiry. Default 24 hours.
    #[serde(default = "token_life")]
    pub max_token_life: SignedDuration,
    /// `typ` that the header of a token must have, such as `at+jwt`, in any case. Default: any.
    pub token_type: Option<String>,
    /// Maximum age of keys whose reload fails. Default 24 hours.
    #[serde(default = "keys_stale")]
    pub keys_stale: SignedDuration,
}

const fn token_life() -> SignedDuration {
    SignedDuration::from_hours(TOKEN_LIFE_HOURS)
}

const fn keys_stale() -> SignedDuration {
    SignedDuration::from_hours(KEYS_STALE_HOURS)
}

/// Names of the claims, unless configured.
mod claims {
    use super::ClaimPath;

    pub fn audience() -> ClaimPath {
        ClaimPath::of("aud")
    }

    pub fn subject() -> ClaimPath {
        ClaimPath::of("sub")
    }

    pub fn name() -> ClaimPath {
        ClaimPath::of("name")
    }

    pub fn scope() -> ClaimPath {
        ClaimPath::of("scope")
    }
}

impl Issuer {
    /// Creates an issuer that may speak for any app and kind, with the default claims.
    #[must_use]
    pub fn of_all_apps(iss: &str, jwks: Jwks) -> Self {
        Self {
            iss: iss.to_owned(),
            jwks,
            kinds: vec![CallerKind::User, CallerKind::Sys],
            audience: None,
            audience_claim: claims::audience(),
            app: AppSource::default(),
            apps: Some(AllowedApps::All),
            subject_claim: claims::subject(),
            name_claim: claims::name(),
            picture_claim: None,
            scope_claim: claims::scope(),
            scope_prefix: String::new(),
            scopes: None,
            require: BTreeMap::new(),
            max_token_life: token_life(),
            token_type: None,
            keys_stale: keys_stale(),
        }
    }

    /// Returns true if tokens may have this `typ`. The prefix `application/` may be left out of a type
    /// (RFC 7515, 4.1.9).
    pub(crate) fn takes_type(&self, found: Option<&str>) -> bool {
        let short = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("application/")
                .unwrap_or(&name)
                .to_owned()
        };
        let expected = self.token_type.as_deref();
        expected.is_none_or(|expected| found.map(short) == Some(short(expected)))
    }

    /// Returns each audience with the kind of caller that it stands for.
    pub(crate) fn audiences(&self) -> Vec<(&str, CallerKind)> {
        match (&self.audience, &self.kinds[..]) {
            (Some(names), &[kind]) => names.iter().map(|name| (&**name, kind)).collect(),
            _ => CallerKind::ALL.map(|kind| (kind.audience(), kind)).into(),
        }
    }

    /// Returns true if the issuer may speak for the app.
    pub(crate) fn speaks_for(&self, app: &AppId) -> bool {
        match &self.app {
            AppSource::Fixed(_) => true,
            AppSource::Claim(_) => self.apps.as_ref().is_some_and(|apps| apps.include(app)),
        }
    }
}

fn audiences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let names = OneOrMany::deserialize(deserializer).ok();
    let names = names.and_then(OneOrMany::into_texts);
    let must = || de::Error::custom("must be an audience or a list of them");
    names.map(Some).ok_or_else(must)
}

/// Kind of a caller, by the audience of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// A user, who calls `Messaging`.
    User,
    /// The app, which calls `Sys`.
    Sys,
}

impl CallerKind {
    const ALL: [Self; 2] = [Self::User, Self::Sys];

    /// Returns the audience of tokens for the kind, unless the issuer has its own.
    const fn audience(self) -> &'static str {
        match self {
            Self::User => "postroom",
            Self::Sys => "postroom-sys",
        }
    }
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

pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
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
        let listed = issuer("keys.json", &json!(["chess"])).expect("valid");
        assert!(listed.speaks_for(&chess) && !listed.speaks_for(&go));
        let all = issuer("keys.json", &json!("*")).expect("valid");
        assert!(all.speaks_for(&chess) && all.speaks_for(&go));
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
