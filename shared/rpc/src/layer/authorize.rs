//! Authentication of callers, and authorization for methods.

use std::sync::Arc;
use std::time::Duration;

use auth::{Authenticated, Authenticator, Identity, Scope};
use http::header::AUTHORIZATION;

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::caller::{System, User};
use crate::error::{RpcError, unimplemented};
use crate::methods::Access;

/// Adds the proof of the caller to the call, or rejects it. Removes the token.
#[derive(Clone)]
pub(crate) struct Authorize(Arc<Authenticator>);

impl Authorize {
    pub const fn new(authenticator: Arc<Authenticator>) -> Self {
        Self(authenticator)
    }

    async fn authorize(&self, call: &mut HttpRequest) -> Result<(), RpcError> {
        let info = CallInfo::of(call);
        let method = info.method.ok_or(unimplemented("this method"))?;
        if method.access == Access::Open {
            return Ok(());
        }
        let Authenticated {
            identity,
            expires_in,
        } = self.0.authenticate(call.headers()).await?;
        // Set once: only this layer does it.
        let _ = info.app.set(identity.app().clone());
        match method.access {
            Access::Open => {}
            Access::User => {
                call.extensions_mut().insert(user(identity, expires_in)?);
            }
            Access::System(scope) => {
                call.extensions_mut().insert(system(identity, scope)?);
            }
        }
        Ok(())
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

fn user(identity: Identity, expires_in: Duration) -> Result<User, RpcError> {
    match identity {
        Identity::User(user) => Ok(User::new(user, expires_in)),
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
