//! The configuration with the files that it names, checked before any port is bound.

use std::sync::Arc;

use auth::{Authenticator, Issuer, Jwks, StartError};
use storage_sql::CheckedClock;

use super::signals::hangups;
use super::tls::ReloadedTls;
use crate::config::{Config, Error, Problem};
use crate::protected_file::check_trusted;

/// A configuration whose certificates and keys were read and are usable.
pub struct PreparedConfig {
    pub config: Config,
    pub user_tls: Option<ReloadedTls>,
    pub sys_tls: Option<ReloadedTls>,
    pub authenticator: Arc<Authenticator>,
    /// Clock of the tokens and of the store, which checks it.
    pub clock: Arc<CheckedClock>,
}

impl PreparedConfig {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// If a file cannot be read or used, or there is no issuer, so that no token would be accepted, or
    /// no key of the audit log.
    pub async fn prepare(config: Config) -> Result<Self, Error> {
        if config.issuer.is_empty() {
            let what = "no [[issuer]] is configured, so no token would be accepted; for a trial \
                        use --dev";
            return Err(Problem::new("issuer", what).into());
        }
        check_key_files(&config.issuer)?;
        let user_tls = ReloadedTls::start("user", &config.user.tls)?;
        let sys_tls = ReloadedTls::start("sys", &config.sys.tls)?;
        let clock = Arc::new(config.clock());
        let authenticator = Authenticator::start(config.issuer.clone(), clock.clone())
            .await
            .map_err(|error| problem(&config.issuer, error))?;
        reload_keys_on_hangup(&authenticator)?;
        check_audit(&config)?;
        Ok(Self {
            config,
            user_tls,
            sys_tls,
            authenticator,
            clock,
        })
    }
}

/// Loads the keys of issuers again on SIGHUP.
fn reload_keys_on_hangup(authenticator: &Arc<Authenticator>) -> Result<(), Problem> {
    let hangups = hangups().map_err(|error| Problem::new("SIGHUP", error.to_string()));
    let (mut hangups, authenticator) = (hangups?, Arc::clone(authenticator));
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            authenticator.reload_keys();
        }
    });
    Ok(())
}

/// Checks that there is a key of the audit log if `Sys` is served.
fn check_audit(config: &Config) -> Result<(), Problem> {
    if config.sys.enabled && config.audit.key.is_none() {
        let what = "is missing: Sys has an audit log, whose key all replicas share; make one with \
                    `openssl rand -hex 32`, and keep it in a file that audit.key_file names";
        return Err(Problem::new("audit.key", what));
    }
    Ok(())
}

/// Checks that nobody but their owners can replace the keys of issuers.
fn check_key_files(issuers: &[Issuer]) -> Result<(), Problem> {
    for (index, issuer) in issuers.iter().enumerate() {
        // A missing file is reported when it is read.
        if let Jwks::File(path) = &issuer.jwks
            && path.exists()
        {
            check_trusted(path).map_err(|error| {
                let what = format!("{}: {error}", path.display());
                Problem::new(format!("issuer.{index}.jwks"), what)
            })?;
        }
    }
    Ok(())
}

/// Names the issuer, and its file if it has one.
fn problem(issuers: &[Issuer], error: StartError) -> Problem {
    let name = match &error {
        StartError::DuplicateIssuer(iss) | StartError::Keys { iss, .. } => iss,
    };
    let index = issuers
        .iter()
        .rposition(|issuer| issuer.iss == *name)
        .unwrap_or_default();
    let file = match issuers.get(index).map(|issuer| &issuer.jwks) {
        Some(Jwks::File(path)) => format!("{}: ", path.display()),
        Some(Jwks::Url(_) | Jwks::Inline(_)) | None => String::new(),
    };
    let error = anyhow::Error::from(error);
    Problem::new(format!("issuer.{index}"), format!("{file}{error:#}"))
}
