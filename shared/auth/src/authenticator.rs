//! Authentication of calls by the tokens of configured issuers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use http::HeaderMap;
use storage::Clock;
use telemetry::TokenMetrics;

use crate::claims::Claims;
use crate::failed_checks::FailedChecks;
use crate::issuer_keys::IssuerKeys;
use crate::jwks_source::JwksSource;
use crate::limits::{LEEWAY_MS, VERIFIED_MAX_MS};
use crate::token::Token;
use crate::token_cache::{TokenCache, VerifiedToken};
use crate::{AllowedApps, CallerKind, Error, Identity, Issuer, JwksError, TokenError, bearer};

/// Failure to start an [`Authenticator`].
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two issuers of the same name.
    #[error("the issuer {0:?} is configured twice")]
    DuplicateIssuer(String),
    /// Keys that cannot be read, or are not usable.
    #[error("the keys of the issuer {iss:?} cannot be used")]
    Keys {
        /// Name of the issuer.
        iss: String,
        /// Cause.
        source: JwksError,
    },
}

/// Verifier of the tokens of calls.
pub struct Authenticator {
    issuers: HashMap<String, TrustedIssuer>,
    cache: TokenCache,
    failed: FailedChecks,
    clock: Arc<dyn Clock>,
    metrics: TokenMetrics,
}

/// Result of a successful authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Identity of the caller.
    pub identity: Identity,
    /// Issuer and key of the token.
    pub signer: TokenSigner,
    /// Time until the token expires, including the leeway.
    pub expires_in: Duration,
}

/// Issuer and key that signed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSigner {
    /// Name of the issuer, as configured.
    pub iss: Arc<str>,
    /// Id of the key; none if the token names none.
    pub kid: Option<Arc<str>>,
}

/// A configured issuer and its keys.
struct TrustedIssuer {
    iss: Arc<str>,
    apps: AllowedApps,
    kinds: Vec<CallerKind>,
    keys: Arc<IssuerKeys>,
}

impl Authenticator {
    /// Loads the keys of all issuers, and reloads them periodically until dropped. Requires a
    /// tokio runtime.
    ///
    /// # Errors
    /// If an issuer is configured twice, or its keys cannot be read, or none of them is usable. An
    /// unreachable URL is no error: its tokens are rejected until a reload succeeds.
    pub async fn start(
        issuers: Vec<Issuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let mut trusted = HashMap::new();
        for issuer in issuers {
            if trusted.contains_key(&issuer.iss) {
                return Err(StartError::DuplicateIssuer(issuer.iss));
            }
            trusted.insert(issuer.iss.clone(), TrustedIssuer::start(issuer).await?);
        }
        Ok(Arc::new(Self {
            issuers: trusted,
            cache: TokenCache::new(),
            failed: FailedChecks::default(),
            clock,
            metrics: TokenMetrics::new(),
        }))
    }

    /// Authenticates the caller by the headers of a call from `address`. Failed checks are counted
    /// by address; `None` counts none.
    ///
    /// # Errors
    /// If there is no token, or it is not valid, or it has expired, or the time is not known, or
    /// too many checks of tokens from the address have failed.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Authenticated, Error> {
        let authenticated = self.check_caller(headers, address).await;
        if let Err(error) = &authenticated {
            self.metrics.refused(error.refusal());
        }
        authenticated
    }

    async fn check_caller(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Authenticated, Error> {
        let token = bearer::token(headers)?;
        let now = self.clock.now().map_err(|_| Error::TimeUnknown)?.ms;
        let verified = match self.cached(token, now) {
            Some(verified) => verified,
            None => self.verify_from(address, token, now).await?,
        };
        let left_ms = verified.expires_at.after(LEEWAY_MS).0 - now.0;
        if left_ms <= 0 {
            return Err(Error::Expired);
        }
        Ok(Authenticated {
            identity: verified.identity.clone(),
            signer: verified.signer.clone(),
            expires_in: Duration::from_millis(left_ms.unsigned_abs()),
        })
    }

    /// Returns a recent verification of the token, unless the issuer's keys have changed since.
    fn cached(&self, token: &str, now: Millis) -> Option<Arc<VerifiedToken>> {
        self.cache.get(token, |verified| {
            let keys = verified.keys.current();
            let is_fresh = now < verified.verified_at.after(VERIFIED_MAX_MS);
            is_fresh && keys.is_some_and(|keys| keys.version() == verified.keys_version)
        })
    }

    /// Verifies a token, unless too many checks of tokens from the address have failed.
    async fn verify_from(
        &self,
        address: Option<IpAddr>,
        text: &str,
        now: Millis,
    ) -> Result<Arc<VerifiedToken>, Error> {
        if let Some(retry_after) = address.and_then(|address| self.failed.pause(address)) {
            return Err(Error::TooManyFailures { retry_after });
        }
        let verified = self.verify(text, now).await;
        if let (Err(_), Some(address)) = (&verified, address) {
            self.failed.count(address);
        }
        Ok(verified?)
    }

    async fn verify(&self, text: &str, now: Millis) -> Result<Arc<VerifiedToken>, TokenError> {
        let verified = Arc::new(self.check(text, now).await?);
        self.cache.put(text, Arc::clone(&verified));
        Ok(verified)
    }

    /// Checks everything but the expiry.
    async fn check(&self, text: &str, now: Millis) -> Result<VerifiedToken, TokenError> {
        let token = Token::parse(text)?;
        let issuer = self.issuers.get(&token.iss()?).ok_or(TokenError::Issuer)?;
        let keys = issuer.keys.containing(&token.key_id).await;
        let keys = keys.ok_or(TokenError::Key)?;
        let claims: Claims = token.verify(&keys)?;
        let identity = claims.identity()?;
        issuer.check(&identity)?;
        if claims.not_before()? > Some(now.after(LEEWAY_MS)) {
            return Err(TokenError::NotYet);
        }
        Ok(VerifiedToken {
            identity,
            signer: TokenSigner {
                iss: issuer.iss.clone(),
                kid: token.key_id.kid.map(Arc::from),
            },
            keys: issuer.keys.clone(),
            keys_version: keys.version(),
            verified_at: now,
            expires_at: claims.expires_at()?,
        })
    }

    #[cfg(test)]
    pub(crate) fn keys(&self, iss: &str) -> Arc<IssuerKeys> {
        Arc::clone(&self.issuers[iss].keys)
    }
}

impl TrustedIssuer {
    async fn start(issuer: Issuer) -> Result<Self, StartError> {
        let Issuer {
            iss,
            jwks,
            apps,
            kinds,
        } = issuer;
        let keys = async { IssuerKeys::start(iss.clone(), JwksSource::new(jwks)?).await };
        match keys.await {
            Ok(keys) => Ok(Self {
                iss: iss.into(),
                apps,
                kinds,
                keys,
            }),
            Err(source) => Err(StartError::Keys { iss, source }),
        }
    }

    /// Checks that the issuer may speak for the caller.
    fn check(&self, identity: &Identity) -> Result<(), TokenError> {
        if !self.kinds.contains(&identity.kind()) {
            return Err(TokenError::Kind);
        }
        if !self.apps.include(identity.app()) {
            return Err(TokenError::ForeignApp);
        }
        Ok(())
    }
}
