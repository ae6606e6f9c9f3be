//! Authentication: verification of the bearer token (a JWT) of a call.
//!
//! A token is valid if a configured issuer signed it with a key of its published JWKS, for a
//! kind of caller and an app that the issuer may speak for, and if the time is within its
//! `nbf` and `exp`. The result is an [`Identity`]; whether that identity may call a method is
//! decided elsewhere. The reason of a rejection, a [`TokenError`], is for the log only.

mod authenticator;
mod bearer;
mod claims;
mod error;
mod explain;
mod failed_checks;
mod identity;
mod issuer;
mod issuer_keys;
mod jwks;
mod jwks_source;
mod key_id;
pub mod limits;
mod scope;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;
mod token_cache;
mod token_error;

pub use authenticator::{Authenticated, Authenticator, StartError, TokenSigner};
pub use error::Error;
pub use identity::{Identity, SystemIdentity, UserIdentity};
pub use issuer::{AllowedApps, AppSource, CallerKind, ClaimPath, Issuer, Jwks};
pub use jwks_source::JwksError;
pub use scope::{Scope, Scopes};
pub use token_error::TokenError;

#[cfg(test)]
mod tests;
