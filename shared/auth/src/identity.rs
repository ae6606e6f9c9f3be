//! Identities that verified tokens give to callers.

use std::sync::Arc;

use domain::{AppId, ProfileId};

use crate::{CallerKind, Scopes};

/// Identity of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A user of an app.
    User(UserIdentity),
    /// The bearer of a user's token that names no profile.
    NoProfile(AppId),
    /// The app itself.
    System(SystemIdentity),
}

/// Identity of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdentity {
    /// App of the user.
    pub app: AppId,
    /// Profile of the user, the owner of a mailbox.
    pub profile: ProfileId,
    /// Display name; empty if the token has none.
    pub name: Arc<str>,
    /// URL of a picture; empty if the token has none.
    pub pic: Arc<str>,
}

/// Identity of an app that calls for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemIdentity {
    /// The app.
    pub app: AppId,
    /// Scopes of the token.
    pub scopes: Scopes,
    /// Subject of the token, for the audit log: opaque, at most 256 bytes.
    pub subject: Option<Arc<str>>,
}

impl Identity {
    /// App of the caller.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        match self {
            Self::User(user) => &user.app,
            Self::NoProfile(app) => app,
            Self::System(system) => &system.app,
        }
    }

    /// Profile of a user.
    #[must_use]
    pub const fn profile(&self) -> Option<&ProfileId> {
        match self {
            Self::User(user) => Some(&user.profile),
            Self::NoProfile(_) | Self::System(_) => None,
        }
    }

    /// Subject of a token of the app itself.
    #[must_use]
    pub fn subject(&self) -> Option<Arc<str>> {
        match self {
            Self::User(_) | Self::NoProfile(_) => None,
            Self::System(system) => system.subject.clone(),
        }
    }

    /// Kind of the caller.
    #[must_use]
    pub const fn kind(&self) -> CallerKind {
        match self {
            Self::User(_) | Self::NoProfile(_) => CallerKind::User,
            Self::System(_) => CallerKind::Sys,
        }
    }

    /// Approximate size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = match self {
            Self::User(user) => user.profile.as_str().len() + user.name.len() + user.pic.len(),
            Self::NoProfile(_) => 0,
            Self::System(system) => system.subject.as_ref().map_or(0, |text| text.len()),
        };
        size_of::<Self>() + self.app().as_str().len() + texts
    }
}
