//! Claims of a token, and the identity that follows from them.

use std::sync::Arc;

use domain::limits::PROFILE_ID_BYTES_MAX;
use domain::sender::{is_pic, name_in};
use domain::{AppId, Millis, ProfileId};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{CallerKind, Identity, Scopes, SystemIdentity, TokenError, UserIdentity};

const USER_AUDIENCE: &str = "postroom";
const SYS_AUDIENCE: &str = "postroom-sys";

/// Claims of a token whose signature was verified. Those that a kind of caller does not need are
/// not looked at, and unusable optional ones are left out: issuers write what they like there.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Returns the time at which the token expires.
    pub fn expires_at(&self) -> Result<Millis, TokenError> {
        self.time("exp")?.ok_or(TokenError::Malformed)
    }

    /// Returns the time before which the token is not valid, if it has one.
    pub fn not_before(&self) -> Result<Option<Millis>, TokenError> {
        self.time("nbf")
    }

    /// Returns the identity of the bearer.
    ///
    /// # Errors
    /// The claim that is malformed.
    pub fn identity(&self) -> Result<Identity, TokenError> {
        let kind = self.kind()?;
        let app = self.text("app").ok_or(TokenError::App)?;
        let app = AppId::parse(app).map_err(|_| TokenError::App)?;
        match kind {
            CallerKind::User => self.user(app),
            CallerKind::Sys => Ok(Identity::System(SystemIdentity {
                app,
                scopes: Scopes::parse(self.text("scope").unwrap_or_default()),
                subject: self.subject_for_the_record(),
            })),
        }
    }

    fn user(&self, app: AppId) -> Result<Identity, TokenError> {
        let Some(subject) = self.claim("sub") else {
            return Ok(Identity::NoProfile(app));
        };
        let subject = subject.as_str().map(ProfileId::parse);
        Ok(Identity::User(UserIdentity {
            app,
            profile: subject
                .ok_or(TokenError::Profile)?
                .map_err(|_| TokenError::Profile)?,
            name: name_in(self.text("name").unwrap_or_default()).into(),
            pic: self.picture().unwrap_or_default().into(),
        }))
    }

    fn kind(&self) -> Result<CallerKind, TokenError> {
        let is_for = [USER_AUDIENCE, SYS_AUDIENCE].map(|name| self.has_audience(name));
        match is_for {
            [true, false] => Ok(CallerKind::User),
            [false, true] => Ok(CallerKind::Sys),
            _ => Err(TokenError::Audience),
        }
    }

    fn has_audience(&self, name: &str) -> bool {
        match self.claim("aud") {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(many)) => many.iter().any(|one| one == name),
            _ => false,
        }
    }

    /// Returns the first picture that can be shown, of Postroom's claim and the one of `OpenID`.
    fn picture(&self) -> Option<&str> {
        let claims = ["pic", "picture"].into_iter();
        claims
            .filter_map(|name| self.text(name))
            .find(|text| is_pic(text))
    }

    /// Returns the beginning of the subject, whatever its form.
    fn subject_for_the_record(&self) -> Option<Arc<str>> {
        let subject = self.text("sub")?;
        Some(subject[..subject.floor_char_boundary(PROFILE_ID_BYTES_MAX)].into())
    }

    /// Returns a claim that is a text.
    fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
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
