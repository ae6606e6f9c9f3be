//! Who calls: proofs that a token was verified and that the method is the caller's to call.
//!
//! They are made in this crate only, so a handler that holds one need not ask again. A call
//! that did not pass through the [stack](crate::stack) has none, and its handler fails.

mod scope;

use std::sync::Arc;

use domain::{AppId, ProfileId, Sender};
use tonic::Request;

pub use self::scope::Scope;
pub(crate) use self::scope::Scopes;
use crate::error::RpcError;

/// Proof that a user of an app calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    app: AppId,
    profile: ProfileId,
    name: Arc<str>,
    pic: Arc<str>,
}

impl User {
    pub(crate) fn new(app: AppId, profile: ProfileId, name: &str, pic: &str) -> Self {
        Self {
            app,
            profile,
            name: name.into(),
            pic: pic.into(),
        }
    }

    /// The user who calls.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if no user was authenticated for this call.
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        proof(request)
    }

    /// The tenant.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.app
    }

    /// Whose mailbox it is.
    #[must_use]
    pub const fn profile(&self) -> &ProfileId {
        &self.profile
    }

    /// The user as the readers of a message see it.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            profile_id: Some(self.profile.clone()),
            name: self.name.to_string(),
            pic: self.pic.to_string(),
        }
    }

    /// Bytes that it takes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            self.app.as_str(),
            self.profile.as_str(),
            &self.name,
            &self.pic,
        ];
        size_of::<Self>() + texts.map(str::len).iter().sum::<usize>()
    }
}

/// Proof that the app itself calls, with the scope that the method needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    app: AppId,
    scopes: Scopes,
    subject: Option<ProfileId>,
}

impl System {
    pub(crate) const fn new(app: AppId, scopes: Scopes, subject: Option<ProfileId>) -> Self {
        Self {
            app,
            scopes,
            subject,
        }
    }

    /// The app that calls.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if no privileged caller was authenticated for this call.
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        proof(request)
    }

    /// The tenant.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.app
    }

    /// On whose behalf, for the audit log.
    #[must_use]
    pub const fn subject(&self) -> Option<&ProfileId> {
        self.subject.as_ref()
    }

    /// Whether its token has a scope. None implies another.
    #[must_use]
    pub const fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Bytes that it takes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let subject = self.subject.as_ref().map_or("", ProfileId::as_str);
        size_of::<Self>() + self.app.as_str().len() + subject.len()
    }
}

fn proof<P: Clone + Send + Sync + 'static, T>(request: &Request<T>) -> Result<P, RpcError> {
    let proof = request.extensions().get::<P>().cloned();
    proof.ok_or_else(|| RpcError::internal("the call was not authenticated"))
}
