//! Revocations of tokens, as this replica knows them.
//!
//! A call of a user costs no read while its app has revoked nothing since the last one. The number of
//! an app's last revocation is reread every [`QUOTAS_REREAD`]; the revocation of a profile is read
//! again once that number has changed.
//!
//! [`QUOTAS_REREAD`]: crate::limits::QUOTAS_REREAD

use std::sync::Arc;

use domain::revocation::is_revoked;
use domain::{AppId, Millis, ProfileId, Revocation};
use quick_cache::sync::Cache;
use storage::{Error, MailStore};

use crate::caller::User;
use crate::error::RpcError;
use crate::limiter::{AppQuotas, Limiter};
use crate::limits::REVOCATIONS_CACHED_MAX;

/// Revocations of tokens.
pub struct Revocations {
    source: Option<RevocationSource>,
    known: Cache<(AppId, ProfileId), KnownRevocation>,
}

struct RevocationSource {
    store: Arc<dyn MailStore>,
    apps: Arc<AppQuotas>,
}

/// Revocation of a profile's tokens, as it was read.
#[derive(Debug, Clone, Copy)]
struct KnownRevocation {
    /// Number of the app's last revocation before the read.
    as_of: i64,
    /// Time of issue before which tokens are revoked; none if none are.
    before: Option<Millis>,
}

impl Revocations {
    /// Creates the revocations in a store.
    #[must_use]
    pub fn in_store(store: Arc<dyn MailStore>, limiter: &Limiter) -> Arc<Self> {
        Self::new(Some(RevocationSource {
            store,
            apps: limiter.apps(),
        }))
    }

    /// Creates revocations without any, for listeners without a store.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Self::new(None)
    }

    fn new(source: Option<RevocationSource>) -> Arc<Self> {
        Arc::new(Self {
            source,
            known: Cache::new(REVOCATIONS_CACHED_MAX),
        })
    }

    /// Puts a revocation in force that was made on this replica.
    pub fn add(&self, app: &AppId, revocation: Revocation) {
        if let Some(source) = &self.source {
            source.apps.set_revocation(app, revocation.number);
        }
    }

    /// Checks that an app is not being erased, as far as this replica knows.
    ///
    /// # Errors
    /// [`RpcError::AppErased`].
    pub fn check_app(&self, app: &AppId) -> Result<(), RpcError> {
        let source = self.source.as_ref();
        if source.is_some_and(|source| source.apps.is_erased(app)) {
            return Err(RpcError::AppErased);
        }
        Ok(())
    }

    /// Checks that the token of a user is not revoked, and that the app is not being erased.
    ///
    /// # Errors
    /// [`RpcError::CredentialsRevoked`], [`RpcError::AppErased`], or the error of a read of the store.
    pub async fn check(&self, user: &User) -> Result<(), RpcError> {
        let before = self.before(user.app(), user.profile()).await?;
        if before.is_some_and(|before| is_revoked(user.issued_at(), before)) {
            return Err(RpcError::CredentialsRevoked);
        }
        self.check_app(user.app())
    }

    async fn before(&self, app: &AppId, profile: &ProfileId) -> Result<Option<Millis>, Error> {
        let Some(RevocationSource { store, apps }) = &self.source else {
            return Ok(None);
        };
        let last = apps.last_revocation(app).await?;
        if last == 0 {
            return Ok(None);
        }
        let key = (app.clone(), profile.clone());
        if let Some(known) = self.known.get(&key).filter(|known| known.as_of == last) {
            return Ok(known.before);
        }
        let before = store.revoked_before(app, profile).await?;
        let known = KnownRevocation {
            as_of: last,
            before,
        };
        self.known.insert(key, known);
        Ok(before)
    }
}
