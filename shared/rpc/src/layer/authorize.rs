//! Who calls, and whether the method is theirs to call.

use std::sync::Arc;

use auth::{Authenticated, Authenticator, Identity, Scope};
use http::header::AUTHORIZATION;

use super::info::Info;
use super::{Answer, Around, Call, Next, refuse};
use crate::caller::{System, User};
use crate::error::{RpcError, unimplemented};
use crate::methods::Access;
use crate::token_end::TokenEnd;

/// Puts a proof of who calls into the call, or ends it. The token goes no further.
#[derive(Clone)]
pub(crate) struct Authorize(Arc<Authenticator>);

impl Authorize {
    pub const fn new(authenticator: Arc<Authenticator>) -> Self {
        Self(authenticator)
    }

    async fn authorize(&self, call: &mut Call) -> Result<(), RpcError> {
        let info = Info::of(call);
        let method = info.method.ok_or(unimplemented("this method"))?;
        if method.access == Access::Open {
            return Ok(());
        }
        let Authenticated {
            identity,
            expires_in,
        } = self.0.authenticate(call.headers()).await?;
        call.extensions_mut().insert(TokenEnd::after(expires_in));
        // Set once: only this layer does it.
        let _ = info.app.set(identity.app().clone());
        match method.access {
            Access::Open => {}
            Access::User => {
                call.extensions_mut().insert(user(identity)?);
            }
            Access::System(scope) => {
                call.extensions_mut().insert(system(identity, scope)?);
            }
        }
        Ok(())
    }
}

impl Around for Authorize {
    async fn around(&self, mut call: Call, next: &impl Next) -> Answer {
        match self.authorize(&mut call).await {
            Ok(()) => {
                call.headers_mut().remove(AUTHORIZATION);
                next.run(call).await
            }
            Err(error) => refuse(error),
        }
    }
}

fn user(identity: Identity) -> Result<User, RpcError> {
    match identity {
        Identity::User(user) => Ok(User::new(user)),
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
