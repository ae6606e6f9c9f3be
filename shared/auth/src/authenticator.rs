//! Authentication of calls by the tokens of configured issuers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use domain::number::saturating;
use http::HeaderMap;
use storage::Clock;
use telemetry::TokenMetrics;

use crate::claims::Claims;
use crate::failed_checks::FailedChecks;
use crate::issuer_keys::IssuerKeys;
use crate::jwks::KeySet;
use crate::jwks_source::JwksSource;
use crate::limits::{LEEWAY_MS, VERIFIED_MAX_MS};
use crate::token::Token;
use crate::token_cache::{TokenCache, VerifiedToken};
use crate::{CallerKind, Error, Identity, Issuer, JwksError, TokenError, bearer};

/// Failure to start an [`Authenticator`].
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two issuers of the same name and audience.
    #[error("the issuer {0:?} is configured twice for the same audience")]
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
    /// Issuers by name, one for each audience.
    issuers: HashMap<String, Vec<TrustedIssuer>>,
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
    /// Time of issue; none if the token has none.
    pub issued_at: Option<Millis>,
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
    config: Issuer,
    keys: Arc<IssuerKeys>,
}

impl Authenticator {
    /// Loads the keys of all issuers, and reloads them periodically until dropped. Requires a
    /// tokio runtime.
    ///
    /// # Errors
    /// If an issuer is configured twice for an audience, or its keys cannot be read, or none of them is usable. An
    /// unreachable URL is no error: its tokens are rejected as [`Error::KeysUnavailable`] until it
    /// answers.
    pub async fn start(
        issuers: Vec<Issuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, StartError> {
        let mut trusted: HashMap<String, Vec<TrustedIssuer>> = HashMap::new();
        for issuer in issuers {
            let namesakes = trusted.entry(issuer.iss.clone()).or_default();
            if namesakes.iter().any(|other| other.shares_audience(&issuer)) {
                return Err(StartError::DuplicateIssuer(issuer.iss));
            }
            namesakes.push(TrustedIssuer::start(issuer).await?);
        }
        Ok(Arc::new(Self {
            issuers: trusted,
            cache: TokenCache::new(),
            failed: FailedChecks::default(),
            clock,
            metrics: TokenMetrics::new(),
        }))
    }

    /// Loads the keys of all issuers again now. Tokens of withdrawn keys are refused from then on.
    pub fn reload_keys(&self) {
        for issuer in self.issuers.values().flatten() {
            issuer.keys.reload();
        }
    }

    /// Authenticates the caller by the headers of a call from `address`. Failed checks are counted
    /// by address; `None` counts none.
    ///
    /// # Errors
    /// If there is no token, or it is not valid, or it has expired, or the time or the keys are
    /// not known, or too many checks of tokens from the address have failed.
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
            issued_at: verified.issued_at,
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
        if let (Err(Error::Invalid(_)), Some(address)) = (&verified, address) {
            self.failed.count(address);
        }
        verified
    }

    async fn verify(&self, text: &str, now: Millis) -> Result<Arc<VerifiedToken>, Error> {
        let verified = Arc::new(self.check(text, now).await?);
        self.cache.put(text, Arc::clone(&verified));
        Ok(verified)
    }

    /// Checks everything but the expiry.
    async fn check(&self, text: &str, now: Millis) -> Result<VerifiedToken, Error> {
        let token = Token::parse(text)?;
        let (issuer, caller) = self.issuer_of(token.unverified())?;
        if !issuer.config.takes_type(token.type_name.as_deref()) {
            return Err(TokenError::Type.into());
        }
        let key_id = token.key_id.clone();
        let keys = issuer.keys.containing(&key_id).await?;
        let claims = token.verify(&keys)?;
        let identity = claims.identity(caller, &issuer.config)?;
        issuer.check(&identity)?;
        if claims.not_before()? > Some(now.after(LEEWAY_MS)) {
            return Err(TokenError::NotYet.into());
        }
        let expires_at = claims.expires_at()?;
        let issued_at = claims.issued_at();
        let begins_at = issued_at.map_or(now, |issued| issued.min(now));
        if expires_at > begins_at.after(issuer.life_max_ms()).after(LEEWAY_MS) {
            return Err(TokenError::LongLived.into());
        }
        Ok(VerifiedToken {
            identity,
            signer: TokenSigner {
                iss: issuer.iss.clone(),
                kid: key_id.kid.map(Arc::from),
            },
            keys: issuer.keys.clone(),
            keys_version: keys.version(),
            verified_at: now,
            expires_at,
            issued_at,
        })
    }

    /// Counts a token that was refused because it is revoked.
    pub fn count_revoked(&self) {
        self.metrics.refused(Some("revoked"));
    }

    /// Returns true if there are keys of any issuer, so that some tokens can be verified.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        let mut issuers = self.issuers.values().flatten();
        issuers.any(|issuer| issuer.keys.current().is_some())
    }

    /// Returns the issuer of a token, and the kind of caller, by the name of the issuer and the
    /// audience.
    fn issuer_of(&self, claims: &Claims) -> Result<(&TrustedIssuer, CallerKind), TokenError> {
        let issuers = self.issuers.get(claims.iss()?).ok_or(TokenError::Issuer)?;
        let mut found = issuers.iter().flat_map(|issuer| {
            let kinds = issuer.kinds(claims).into_iter();
            kinds.map(move |kind| (issuer, kind))
        });
        let first = found.next().ok_or(TokenError::Audience)?;
        found
            .next()
            .is_none()
            .then_some(first)
            .ok_or(TokenError::Audience)
    }

    /// Returns the names of the issuers.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.keys().map(String::as_str)
    }

    /// Returns the issuers of a name.
    pub(crate) fn namesakes(&self, iss: &str) -> impl Iterator<Item = &Issuer> {
        let issuers = self.issuers.get(iss).into_iter().flatten();
        issuers.map(|issuer| &issuer.config)
    }

    /// Returns the issuer of a token, and its keys if they are known.
    pub(crate) fn held_against(
        &self,
        token: &Token<'_>,
    ) -> Result<(&Issuer, Option<Arc<KeySet>>), TokenError> {
        let (issuer, _) = self.issuer_of(token.unverified())?;
        Ok((&issuer.config, issuer.keys.current()))
    }

    #[cfg(test)]
    pub(crate) fn keys(&self, iss: &str) -> Arc<IssuerKeys> {
        Arc::clone(&self.issuers[iss][0].keys)
    }
}

impl TrustedIssuer {
    async fn start(issuer: Issuer) -> Result<Self, StartError> {
        let iss: Arc<str> = issuer.iss.as_str().into();
        let jwks = issuer.jwks.clone();
        let stale = issuer.keys_stale.unsigned_abs();
        let keys = async { IssuerKeys::start(iss.clone(), JwksSource::new(jwks)?, stale).await };
        match keys.await {
            Ok(keys) => Ok(Self {
                iss,
                config: issuer,
                keys,
            }),
            Err(source) => Err(StartError::Keys {
                iss: issuer.iss,
                source,
            }),
        }
    }

    /// Longest life of a token, in milliseconds.
    fn life_max_ms(&self) -> i64 {
        saturating(self.config.max_token_life.as_millis())
    }

    /// Returns true if a token could be of both issuers.
    fn shares_audience(&self, other: &Issuer) -> bool {
        let own = self.config.audiences();
        let mut others = other.audiences().into_iter();
        others.any(|(name, _)| own.iter().any(|(known, _)| *known == name))
    }

    /// Returns the kinds of callers that the audience of the token stands for, each once.
    fn kinds(&self, claims: &Claims) -> Vec<CallerKind> {
        let claim = &self.config.audience_claim;
        let audiences = self.config.audiences().into_iter();
        let mut kinds: Vec<_> = audiences
            .filter(|(name, _)| claims.has_audience(claim, name))
            .map(|(_, kind)| kind)
            .collect();
        kinds.dedup();
        kinds
    }

    /// Checks that the issuer may speak for the caller.
    fn check(&self, identity: &Identity) -> Result<(), TokenError> {
        if !self.config.kinds.contains(&identity.kind()) {
            return Err(TokenError::Kind);
        }
        if !self.config.speaks_for(identity.app()) {
            return Err(TokenError::ForeignApp);
        }
        Ok(())
    }
}
