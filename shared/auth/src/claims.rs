//! Claims of a token, and the identity that follows from them.

use domain::sender::{is_name, is_pic};
use domain::{AppId, Millis, ProfileId};
use serde::Deserialize;

use crate::{CallerKind, Identity, Scopes, SystemIdentity, TokenError, UserIdentity};

const USER_AUDIENCE: &str = "postroom";
const SYS_AUDIENCE: &str = "postroom-sys";

/// Claims of a token whose signature was verified.
#[derive(Deserialize)]
pub(crate) struct Claims {
    aud: AudienceClaim,
    exp: f64,
    nbf: Option<f64>,
    app: String,
    sub: Option<String>,
    name: Option<String>,
    pic: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AudienceClaim {
    One(String),
    Many(Vec<String>),
}

impl AudienceClaim {
    fn includes(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

impl Claims {
    /// Returns the time at which the token expires.
    pub fn expires_at(&self) -> Millis {
        millis(self.exp)
    }

    /// Returns the time before which the token is not valid, if it has one.
    pub fn not_before(&self) -> Option<Millis> {
        self.nbf.map(millis)
    }

    /// Returns the identity of the bearer.
    ///
    /// # Errors
    /// The claim that is malformed.
    pub fn identity(&self) -> Result<Identity, TokenError> {
        let kind = self.kind()?;
        let app = AppId::parse(&self.app).map_err(|_| TokenError::App)?;
        let profile = self.profile()?;
        match kind {
            CallerKind::User => self.user(app, profile),
            CallerKind::Sys => Ok(Identity::System(SystemIdentity {
                app,
                scopes: Scopes::parse(self.scope.as_deref().unwrap_or_default()),
                subject: profile,
            })),
        }
    }

    fn user(&self, app: AppId, profile: Option<ProfileId>) -> Result<Identity, TokenError> {
        let (name, pic) = self.sender()?;
        Ok(match profile {
            Some(profile) => Identity::User(UserIdentity {
                app,
                profile,
                name: name.into(),
                pic: pic.into(),
            }),
            None => Identity::NoProfile(app),
        })
    }

    fn kind(&self) -> Result<CallerKind, TokenError> {
        let is_for = [USER_AUDIENCE, SYS_AUDIENCE].map(|name| self.aud.includes(name));
        match is_for {
            [true, false] => Ok(CallerKind::User),
            [false, true] => Ok(CallerKind::Sys),
            _ => Err(TokenError::Audience),
        }
    }

    fn profile(&self) -> Result<Option<ProfileId>, TokenError> {
        let sub = self.sub.as_deref().map(ProfileId::parse).transpose();
        sub.map_err(|_| TokenError::Profile)
    }

    fn sender(&self) -> Result<(&str, &str), TokenError> {
        let name = self.name.as_deref().unwrap_or_default();
        let pic = self.pic.as_deref().unwrap_or_default();
        if is_name(name) && is_pic(pic) {
            Ok((name, pic))
        } else {
            Err(TokenError::Sender)
        }
    }
}

/// Converts a `NumericDate`: seconds since the Unix epoch, possibly with a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "out-of-range times saturate"
)]
fn millis(seconds: f64) -> Millis {
    Millis((seconds * 1000.0) as i64)
}
