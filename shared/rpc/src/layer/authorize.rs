//! Authentication of callers, and authorization for methods.

use std::sync::Arc;
use std::time::Duration;

use auth::{Authenticated, Authenticator, Identity, Scope, Scopes};
use domain::Millis;
use http::header::AUTHORIZATION;

use super::call_info::{CallInfo, CallerFacts};
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::caller::{System, User};
use crate::error::{RpcError, unimplemented};
use crate::methods::Access;
use crate::peer_network::network;
use crate::revocations::Revocations;

/// Scopes that calls of a connection have at most, whatever their tokens say: those of the client
/// whose certificate it has. An extension of calls.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionScopes(pub Scopes);

/// Adds the proof of the caller to the call, or rejects it. Removes the token.
#[derive(Clone)]
pub(crate) struct Authorize {
    authenticator: Arc<Authenticator>,
    revocations: Arc<Revocations>,
    limits_addresses: bool,
}

impl Authorize {
    /// `limits_addresses` bounds the invalid tokens of an address that are checked.
    pub const fn new(
        authenticator: Arc<Authenticator>,
        revocations: Arc<Revocations>,
        limits_addresses: bool,
    ) -> Self {
        Self {
            authenticator,
            revocations,
            limits_addresses,
        }
    }

    async fn authorize(&self, call: &mut HttpRequest) -> Result<(), RpcError> {
        let info = CallInfo::of(call);
        let method = info.method.ok_or(unimplemented("this method"))?;
        if method.access == Access::Open {
            return Ok(());
        }
        let peer = info.peer.filter(|_| self.limits_addresses);
        let address = peer.map(|peer| network(peer.ip()));
        let authenticated = self.authenticator.authenticate(call.headers(), address);
        let Authenticated {
            identity,
            signer,
            expires_in,
            issued_at,
        } = authenticated.await?;
        info.set_caller(CallerFacts {
            app: identity.app().clone(),
            profile: identity.profile().cloned(),
            subject: identity.subject(),
            signer,
        });
        match method.access {
            Access::Open => {}
            Access::User => {
                let user = user(identity, expires_in, issued_at)?;
                self.check_revocations(&user).await?;
                call.extensions_mut().insert(user);
            }
            Access::System(scope) => {
                let bound = call.extensions().get::<ConnectionScopes>().copied();
                if bound.is_some_and(|ConnectionScopes(scopes)| !scopes.contains(scope)) {
                    return Err(RpcError::SysScopeRequired(scope));
                }
                let system = system(identity, scope)?;
                self.revocations.check_app(system.app())?;
                call.extensions_mut().insert(system);
            }
        }
        Ok(())
    }

    async fn check_revocations(&self, user: &User) -> Result<(), RpcError> {
        let checked = self.revocations.check(user).await;
        if matches!(checked, Err(RpcError::CredentialsRevoked)) {
            self.authenticator.count_revoked();
        }
        checked
    }
}

impl Middleware for Authorize {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        match self.authorize(&mut call).await {
            Ok(()) => {
                call.headers_mut().remove(AUTHORIZATION);
                next.run(call).await
            }
            Err(error) => reject(error),
        }
    }
}

fn user(
    identity: Identity,
    expires_in: Duration,
    issued_at: Option<Millis>,
) -> Result<User, RpcError> {
    match identity {
        Identity::User(user) => Ok(User::new(user, expires_in, issued_at)),
        Identity::NoProfile(_) | Identity::System(_) => Err(RpcError::ProfileRequired),
    }
}

fn system(identity: Identity, scope: Scope) -> Result<System, RpcError> {
    match identity {
        Identity::System(system) if system.scopes.contains(scope) => Ok(System::new(system)),
        Identity::User(_) | Identity::NoProfile(_) | Identity::System(_) => {
            Err(RpcError::SysScopeRequired(scope))
        }
    }
}
