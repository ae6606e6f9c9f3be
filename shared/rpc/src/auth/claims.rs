//! What a token says, and who it makes of its bearer.

use domain::sender::{is_name, is_pic};
use domain::{AppId, Millis, ProfileId};
use serde::Deserialize;

use super::Refused;
use super::issuer::Kind;
use crate::caller::{Scopes, System, User};

const USER_AUDIENCE: &str = "postroom";
const SYS_AUDIENCE: &str = "postroom-sys";

/// The claims of a token whose signature is right.
#[derive(Deserialize)]
pub(super) struct Claims {
    aud: Audience,
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
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn includes(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// Who a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A user.
    User(User),
    /// A user's token that names no profile.
    Nobody(AppId),
    /// The app itself.
    System(System),
}

impl Caller {
    pub const fn app(&self) -> &AppId {
        match self {
            Self::User(user) => user.app(),
            Self::Nobody(app) => app,
            Self::System(system) => system.app(),
        }
    }

    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) | Self::Nobody(_) => Kind::User,
            Self::System(_) => Kind::Sys,
        }
    }

    /// Bytes that it takes in memory, roughly.
    pub fn bytes(&self) -> usize {
        match self {
            Self::User(user) => user.bytes(),
            Self::Nobody(app) => size_of::<Self>() + app.as_str().len(),
            Self::System(system) => system.bytes(),
        }
    }
}

impl Claims {
    /// When it expires.
    pub fn expires(&self) -> Millis {
        millis(self.exp)
    }

    /// From when on it is good, if it says so.
    pub fn begins(&self) -> Option<Millis> {
        self.nbf.map(millis)
    }

    /// Who it speaks for.
    ///
    /// # Errors
    /// If it says what no token may say.
    pub fn caller(&self) -> Result<Caller, Refused> {
        let kind = self.kind()?;
        let app = AppId::parse(&self.app).map_err(|_| Refused::App)?;
        let profile = self.profile()?;
        match kind {
            Kind::Sys => {
                let scopes = Scopes::parse(self.scope.as_deref().unwrap_or_default());
                Ok(Caller::System(System::new(app, scopes, profile)))
            }
            Kind::User => {
                let (name, pic) = self.sender()?;
                Ok(match profile {
                    Some(profile) => Caller::User(User::new(app, profile, name, pic)),
                    None => Caller::Nobody(app),
                })
            }
        }
    }

    fn kind(&self) -> Result<Kind, Refused> {
        let is_for = [USER_AUDIENCE, SYS_AUDIENCE].map(|name| self.aud.includes(name));
        match is_for {
            [true, false] => Ok(Kind::User),
            [false, true] => Ok(Kind::Sys),
            _ => Err(Refused::Audience),
        }
    }

    fn profile(&self) -> Result<Option<ProfileId>, Refused> {
        let sub = self.sub.as_deref().map(ProfileId::parse).transpose();
        sub.map_err(|_| Refused::Profile)
    }

    fn sender(&self) -> Result<(&str, &str), Refused> {
        let name = self.name.as_deref().unwrap_or_default();
        let pic = self.pic.as_deref().unwrap_or_default();
        if is_name(name) && is_pic(pic) {
            Ok((name, pic))
        } else {
            Err(Refused::Sender)
        }
    }
}

/// Seconds since the epoch as tokens have them, with fractions perhaps.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time beyond time is the end of time"
)]
fn millis(seconds: f64) -> Millis {
    Millis((seconds * 1000.0) as i64)
}
