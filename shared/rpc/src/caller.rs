//! Proofs that a call was authenticated, and that its method may be called by the caller.
//!
//! Only the [stack](crate::stack) creates them, so a handler with a proof need not check
//! again. A call that did not pass through the stack has none, and fails.

use std::time::{Duration, Instant};

use auth::{SystemIdentity, UserIdentity};
use domain::{AppId, Millis, ProfileId, Sender};
use tonic::Request;

use crate::error::RpcError;

/// Proof of the caller of a method: [`User`] or [`System`].
pub trait Proof: Clone + Send + Sync + 'static {
    /// Returns the proof in a call.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if no caller of this kind was authorized for the call.
    fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        let proof = request.extensions().get::<Self>().cloned();
        proof.ok_or_else(|| RpcError::internal("the call was not authorized"))
    }
}

/// Proof that a user of an app calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    identity: UserIdentity,
    token_expiry: Option<Instant>,
    issued_at: Option<Millis>,
}

impl Proof for User {}

impl User {
    /// Creates the proof for the bearer of a token that expires in that time, and was issued at a
    /// time if it says so.
    pub(crate) fn new(
        identity: UserIdentity,
        expires_in: Duration,
        issued_at: Option<Millis>,
    ) -> Self {
        Self {
            identity,
            token_expiry: Instant::now().checked_add(expires_in),
            issued_at,
        }
    }

    /// App of the user.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.identity.app
    }

    /// Profile of the user, the owner of a mailbox.
    #[must_use]
    pub const fn profile(&self) -> &ProfileId {
        &self.identity.profile
    }

    /// The user as the sender of a message.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            profile_id: Some(self.identity.profile.clone()),
            name: self.identity.name.to_string(),
            pic: self.identity.pic.to_string(),
        }
    }

    /// Time at which the token expires, and with it every stream of the call; none if that is
    /// beyond the range of a clock.
    #[must_use]
    pub const fn token_expiry(&self) -> Option<Instant> {
        self.token_expiry
    }

    /// Time of issue of the token; none if it has none.
    #[must_use]
    pub const fn issued_at(&self) -> Option<Millis> {
        self.issued_at
    }
}

/// Proof that the app itself calls, with the scope that the method requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System(SystemIdentity);

impl Proof for System {}

impl System {
    pub(crate) const fn new(identity: SystemIdentity) -> Self {
        Self(identity)
    }

    /// The app.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.0.app
    }
}
