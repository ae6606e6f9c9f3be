//! From a token to who calls.
//!
//! A token is taken if an issuer that is configured signed it with a key that it publishes,
//! for a kind of caller and an app that it speaks for, and if its time is now. What is wrong
//! with one that is not taken is for the log only.

mod bearer;
mod cache;
mod claims;
mod issuer;
mod jwks;
mod keys;
mod refused;
mod source;
mod token;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use http::HeaderMap;
use storage::Clock;

use self::cache::{Cache, Verified};
pub(crate) use self::claims::Caller;
use self::claims::Claims;
pub use self::issuer::{Apps, Issuer, Jwks, Kind};
use self::keys::Keys;
pub use self::refused::Refused;
pub use self::source::LoadError;
use self::source::Source;
use self::token::Token;
use crate::error::RpcError;
use crate::limits::{LEEWAY_MS, VERIFIED_MAX_MS};

/// Why nobody can be authenticated with these issuers.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two issuers have one name.
    #[error("the issuer {0:?} is there twice")]
    Twice(String),
    /// An issuer's keys cannot be read.
    #[error("the keys of the issuer {iss:?} cannot be read")]
    Keys {
        /// Whose.
        iss: String,
        /// Why.
        source: LoadError,
    },
}

/// Tells who calls, from the token of a call.
pub struct Authenticator {
    trusted: HashMap<String, Trusted>,
    verified: Cache,
    clock: Arc<dyn Clock>,
}

/// Somebody whose token was taken.
pub(crate) struct Admitted {
    /// Who it is.
    pub caller: Caller,
    /// For how long the token is good, give or take what clocks may differ.
    pub left: Duration,
}

/// An issuer, and for whom it speaks.
struct Trusted {
    apps: Apps,
    kinds: Vec<Kind>,
    keys: Arc<Keys>,
}

impl Authenticator {
    /// Reads the keys of all issuers, and again from time to time for as long as it lives.
    /// Runs within a tokio runtime.
    ///
    /// # Errors
    /// If an issuer is there twice, or its keys cannot be read; keys at an address may come
    /// later, and until then its tokens are refused.
    pub async fn start(
        issuers: Vec<Issuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let mut trusted = HashMap::new();
        for issuer in issuers {
            if trusted.contains_key(&issuer.iss) {
                return Err(StartError::Twice(issuer.iss));
            }
            trusted.insert(issuer.iss.clone(), Trusted::start(issuer).await?);
        }
        Ok(Arc::new(Self {
            trusted,
            verified: Cache::new(),
            clock,
        }))
    }

    /// Who calls, by the headers of the call.
    pub(crate) async fn admit(&self, headers: &HeaderMap) -> Result<Admitted, RpcError> {
        let token = bearer::token(headers)?;
        let now = self.clock.now_ms();
        let verified = match self.known(token, now) {
            Some(verified) => verified,
            None => self.verify(token, now).await?,
        };
        let left_ms = verified.expires.after(LEEWAY_MS).0 - now.0;
        if left_ms <= 0 {
            return Err(RpcError::CredentialsExpired);
        }
        Ok(Admitted {
            caller: verified.caller.clone(),
            left: Duration::from_millis(left_ms.unsigned_abs()),
        })
    }

    /// What is known of a token that was verified lately, with the keys that are still the
    /// issuer's.
    fn known(&self, token: &str, now: Millis) -> Option<Arc<Verified>> {
        let verified = self.verified.get(token)?;
        let version = verified.keys.current()?.version();
        let is_fresh = now < verified.at.after(VERIFIED_MAX_MS);
        (is_fresh && version == verified.version).then_some(verified)
    }

    async fn verify(&self, text: &str, now: Millis) -> Result<Arc<Verified>, RpcError> {
        let verified = self.check(text, now).await;
        let verified = Arc::new(verified.map_err(RpcError::CredentialsInvalid)?);
        self.verified.put(text, Arc::clone(&verified));
        Ok(verified)
    }

    /// Everything but whether it has expired.
    async fn check(&self, text: &str, now: Millis) -> Result<Verified, Refused> {
        let token = Token::parse(text)?;
        let issuer = self.trusted.get(&token.iss()?).ok_or(Refused::Issuer)?;
        let keys = issuer.keys.with(&token.key_id).await;
        let keys = keys.ok_or(Refused::Key)?;
        let claims: Claims = token.verify(&keys)?;
        let caller = claims.caller()?;
        issuer.check(&caller)?;
        if claims.begins() > Some(now.after(LEEWAY_MS)) {
            return Err(Refused::NotYet);
        }
        Ok(Verified {
            caller,
            keys: issuer.keys.clone(),
            version: keys.version(),
            at: now,
            expires: claims.expires(),
        })
    }
}

impl Trusted {
    async fn start(issuer: Issuer) -> Result<Self, StartError> {
        let Issuer {
            iss,
            jwks,
            apps,
            kinds,
        } = issuer;
        let keys = async { Keys::start(iss.clone(), Source::new(jwks)?).await };
        match keys.await {
            Ok(keys) => Ok(Self { apps, kinds, keys }),
            Err(source) => Err(StartError::Keys { iss, source }),
        }
    }

    fn check(&self, caller: &Caller) -> Result<(), Refused> {
        if !self.kinds.contains(&caller.kind()) {
            return Err(Refused::Kind);
        }
        if !self.apps.include(caller.app()) {
            return Err(Refused::ForeignApp);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
