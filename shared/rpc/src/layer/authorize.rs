//! Who calls, and whether the method is theirs to call.

use std::sync::Arc;

use http::header::AUTHORIZATION;

use super::info::Info;
use super::{Answer, Around, Call, Next, refuse};
use crate::auth::{Admitted, Authenticator, Caller};
use crate::caller::{Scope, System, User};
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
        let Admitted { caller, left } = self.0.admit(call.headers()).await?;
        call.extensions_mut().insert(TokenEnd::after(left));
        // Set once: only this layer does it.
        let _ = info.app.set(caller.app().clone());
        match method.access {
            Access::Open => {}
            Access::User => {
                call.extensions_mut().insert(user(caller)?);
            }
            Access::System(scope) => {
                call.extensions_mut().insert(system(caller, scope)?);
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

fn user(caller: Caller) -> Result<User, RpcError> {
    match caller {
        Caller::User(user) => Ok(user),
        Caller::Nobody(_) | Caller::System(_) => Err(RpcError::ProfileRequired),
    }
}

fn system(caller: Caller, scope: Scope) -> Result<System, RpcError> {
    match caller {
        Caller::System(system) if system.has(scope) => Ok(system),
        Caller::User(_) | Caller::Nobody(_) | Caller::System(_) => {
            Err(RpcError::SysScopeRequired(scope))
        }
    }
}
