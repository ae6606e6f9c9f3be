//! Claims of a token, and the identity that follows from them.

use std::slice;
use std::sync::Arc;

use domain::limits::PROFILE_ID_BYTES_MAX;
use domain::sender::{is_pic, name_in};
use domain::{AppId, Millis, ProfileId};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    AppSource, CallerKind, ClaimPath, Identity, Issuer, Scopes, SystemIdentity, TokenError,
    UserIdentity,
};

/// Claims of a token. Those that a kind of caller does not need are
/// not looked at, and unusable optional ones are left out: issuers write what they like there.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Returns the name of the issuer.
    pub fn iss(&self) -> Result<&str, TokenError> {
        let iss = self.claim("iss").and_then(Value::as_str);
        iss.ok_or(TokenError::Malformed)
    }

    /// Returns the time at which the token expires.
    pub fn expires_at(&self) -> Result<Millis, TokenError> {
        self.time("exp")?.ok_or(TokenError::Malformed)
    }

    /// Returns the time before which the token is not valid, if it has one.
    pub fn not_before(&self) -> Result<Option<Millis>, TokenError> {
        self.time("nbf")
    }

    /// Returns the time of the issue, if the token has one.
    pub fn issued_at(&self) -> Option<Millis> {
        self.time("iat").ok().flatten()
    }

    /// Returns true if the claim of the audience is this one, or a list with it.
    pub fn has_audience(&self, claim: &ClaimPath, name: &str) -> bool {
        self.texts(claim).any(|text| text == name)
    }

    /// Returns the identity of the bearer, by the claims that the issuer uses for it.
    ///
    /// # Errors
    /// The claim that is malformed.
    pub fn identity(&self, kind: CallerKind, issuer: &Issuer) -> Result<Identity, TokenError> {
        let is_there = |(name, value): (&String, &String)| {
            self.claim(name).and_then(Value::as_str) == Some(value)
        };
        if !issuer.require.iter().all(is_there) {
            return Err(TokenError::Required);
        }
        let app = self.app(&issuer.app)?;
        match kind {
            CallerKind::User => self.user(app, issuer),
            CallerKind::Sys => Ok(Identity::System(SystemIdentity {
                app,
                scopes: self.scopes(issuer),
                subject: self.subject_for_the_record(issuer),
            })),
        }
    }

    fn app(&self, source: &AppSource) -> Result<AppId, TokenError> {
        match source {
            AppSource::Fixed(app) => Ok(app.clone()),
            AppSource::Claim(path) => {
                let id = self.text(path).ok_or(TokenError::App)?;
                AppId::parse(id).map_err(|_| TokenError::App)
            }
        }
    }

    fn user(&self, app: AppId, issuer: &Issuer) -> Result<Identity, TokenError> {
        let Some(subject) = self.value(&issuer.subject_claim) else {
            return Ok(Identity::NoProfile(app));
        };
        let profile = subject.as_str().ok_or(TokenError::Profile)?;
        Ok(Identity::User(UserIdentity {
            app,
            profile: ProfileId::parse(profile).map_err(|_| TokenError::Profile)?,
            name: name_in(self.text(&issuer.name_claim).unwrap_or_default()).into(),
            pic: self.picture(issuer).unwrap_or_default().into(),
        }))
    }

    /// Returns the first picture that can be shown, by default of Postroom's claim and of `OpenID`'s.
    fn picture(&self, issuer: &Issuer) -> Option<&str> {
        let is_shown = |text: &&str| is_pic(text);
        if let Some(path) = &issuer.picture_claim {
            return self.text(path).filter(is_shown);
        }
        let claims = ["pic", "picture"].into_iter();
        let mut texts = claims.filter_map(|name| self.claim(name)?.as_str());
        texts.find(is_shown)
    }

    fn scopes(&self, issuer: &Issuer) -> Scopes {
        if let Some(scopes) = issuer.scopes {
            return scopes;
        }
        let names = self.texts(&issuer.scope_claim);
        let names = names.flat_map(|text| text.split(' '));
        Scopes::named(names.filter_map(|name| name.strip_prefix(&*issuer.scope_prefix)))
    }

    /// Returns the beginning of the subject, whatever its form.
    fn subject_for_the_record(&self, issuer: &Issuer) -> Option<Arc<str>> {
        let subject = self.text(&issuer.subject_claim)?;
        Some(subject[..subject.floor_char_boundary(PROFILE_ID_BYTES_MAX)].into())
    }

    /// Returns a value that is a text.
    fn text(&self, path: &ClaimPath) -> Option<&str> {
        self.value(path)?.as_str()
    }

    /// Returns the texts of a value that is a text or a list of texts.
    fn texts(&self, path: &ClaimPath) -> impl Iterator<Item = &str> {
        let values = match self.value(path) {
            Some(Value::Array(values)) => &values[..],
            Some(value) => slice::from_ref(value),
            None => &[],
        };
        values.iter().filter_map(Value::as_str)
    }

    /// Returns a value in the claims; null is none.
    fn value(&self, path: &ClaimPath) -> Option<&Value> {
        let (first, nested) = path.names().split_first()?;
        let value = nested
            .iter()
            .try_fold(self.claim(first)?, |value, name| value.get(name))?;
        Some(value).filter(|value| !value.is_null())
    }

    /// Returns a claim; null is none.
    fn claim(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a claim that is a `NumericDate`: seconds since the Unix epoch, possibly with a
    /// fraction.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "out-of-range times saturate"
    )]
    fn time(&self, name: &str) -> Result<Option<Millis>, TokenError> {
        let Some(claim) = self.claim(name) else {
            return Ok(None);
        };
        let seconds = claim.as_f64().ok_or(TokenError::Malformed)?;
        Ok(Some(Millis((seconds * 1000.0) as i64)))
    }
}
