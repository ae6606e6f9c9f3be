//! Places of values in the claims of a token.

use domain::AppId;
use serde::{Deserialize, Deserializer, de};

/// Place of a value in the claims: the name of a claim, taken whole whatever characters it has, or a
/// list of names that leads into nested objects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrMany")]
pub struct ClaimPath(Vec<String>);

/// Text, or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// App of an issuer's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppSource {
    /// Same app for all tokens, written as its id.
    Fixed(AppId),
    /// Value of a claim, written as `{ claim = "…" }`.
    Claim(ClaimPath),
}

impl ClaimPath {
    /// Returns the path of a claim that is not nested.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// Returns the names from the outermost object inwards.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }
}

impl OneOrMany {
    /// Returns the texts; none if there is no text, or an empty one.
    pub fn into_texts(self) -> Option<Vec<String>> {
        let texts = match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        };
        let is_complete = !texts.is_empty() && texts.iter().all(|text| !text.is_empty());
        is_complete.then_some(texts)
    }
}

impl TryFrom<OneOrMany> for ClaimPath {
    type Error = &'static str;

    fn try_from(written: OneOrMany) -> Result<Self, Self::Error> {
        let names = written.into_texts();
        names
            .map(Self)
            .ok_or("must be the name of a claim, or a list of names")
    }
}

impl Default for AppSource {
    fn default() -> Self {
        Self::Claim(ClaimPath::of("app"))
    }
}

impl<'de> Deserialize<'de> for AppSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Fixed(String),
            Claim { claim: ClaimPath },
        }

        match Written::deserialize(deserializer) {
            Ok(Written::Fixed(id)) => super::app(&id).map(Self::Fixed),
            Ok(Written::Claim { claim }) => Ok(Self::Claim(claim)),
            Err(_) => Err(de::Error::custom("must be an app id or { claim = \"…\" }")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn a_claim_is_named_by_a_text_or_a_list() {
        let names = |written: Value| from_value::<ClaimPath>(written).map(|path| path.0).ok();
        let name = "https://example.com/app".to_owned();
        assert_eq!(names(json!(name)), Some(vec![name]));
        let nested = vec!["firebase".to_owned(), "tenant".to_owned()];
        assert_eq!(names(json!(nested)), Some(nested));
        for written in [json!(""), json!([]), json!(["a", ""]), json!(7)] {
            assert_eq!(names(written.clone()), None, "{written}");
        }
    }

    #[test]
    fn an_app_is_fixed_or_a_claim() {
        let app = |written: Value| from_value::<AppSource>(written).ok();
        let chess = AppId::parse("chess").expect("an app");
        assert_eq!(app(json!("chess")), Some(AppSource::Fixed(chess)));
        let tenant = AppSource::Claim(ClaimPath::of("tid"));
        assert_eq!(app(json!({ "claim": "tid" })), Some(tenant));
        for written in [
            json!("a b"),
            json!({}),
            json!({ "claims": "tid" }),
            json!(7),
        ] {
            assert_eq!(app(written.clone()), None, "{written}");
        }
    }
}
