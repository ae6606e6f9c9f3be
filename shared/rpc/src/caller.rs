//! Proofs that a call was authenticated, and that its method may be called by the caller.
//!
//! Only the [stack](crate::stack) creates them, so a handler with a proof need not check
//! again. A call that did not pass through the stack has none, and its handler fails.

use auth::{SystemIdentity, UserIdentity};
use domain::{AppId, ProfileId, Sender};
use tonic::Request;

use crate::error::RpcError;

/// Proof that a user of an app calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(UserIdentity);

impl User {
    pub(crate) const fn new(identity: UserIdentity) -> Self {
        Self(identity)
    }

    /// Returns the user who calls.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if no user was authenticated for the call.
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        proof(request)
    }

    /// App of the user.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.0.app
    }

    /// Profile of the user, the owner of a mailbox.
    #[must_use]
    pub const fn profile(&self) -> &ProfileId {
        &self.0.profile
    }

    /// The user as the sender of a message.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            profile_id: Some(self.0.profile.clone()),
            name: self.0.name.to_string(),
            pic: self.0.pic.to_string(),
        }
    }
}

/// Proof that the app itself calls, with the scope that the method requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System(SystemIdentity);

impl System {
    pub(crate) const fn new(identity: SystemIdentity) -> Self {
        Self(identity)
    }

    /// Returns the app that calls.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if no privileged caller was authenticated for the call.
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        proof(request)
    }

    /// The app.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.0.app
    }
}

fn proof<P: Clone + Send + Sync + 'static, T>(request: &Request<T>) -> Result<P, RpcError> {
    let proof = request.extensions().get::<P>().cloned();
    proof.ok_or_else(|| RpcError::internal("the call was not authenticated"))
}
