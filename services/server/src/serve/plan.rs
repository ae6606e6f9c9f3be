//! What is to be served, checked before any port is bound.

use std::sync::Arc;

use auth::{Authenticator, Issuer, Jwks, StartError};
use storage_sql::SystemClock;
use tokio_rustls::TlsAcceptor;

use super::tls;
use crate::config::{Config, Error, Problem};

/// A configuration whose files were read and are usable.
pub struct Plan {
    pub config: Config,
    pub user_tls: Option<TlsAcceptor>,
    pub sys_tls: Option<TlsAcceptor>,
    pub authenticator: Arc<Authenticator>,
}

impl Plan {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// If one of them cannot be read or used, or nobody could ever call.
    pub async fn prepare(config: Config) -> Result<Self, Error> {
        if config.issuer.is_empty() {
            let what = "nobody could call: name an [[issuer]], or try --dev";
            return Err(Problem::new("issuer", what).into());
        }
        let user_tls = tls::acceptor("user.tls", &config.user.tls)?;
        let sys_tls = tls::acceptor("sys.tls", &config.sys.tls)?;
        let authenticator = Authenticator::start(config.issuer.clone(), Arc::new(SystemClock))
            .await
            .map_err(|error| problem(&config.issuer, error))?;
        Ok(Self {
            config,
            user_tls,
            sys_tls,
            authenticator,
        })
    }
}

/// Which issuer it is about, and which file.
fn problem(issuers: &[Issuer], error: StartError) -> Problem {
    let name = match &error {
        StartError::DuplicateIssuer(iss) | StartError::Keys { iss, .. } => iss,
    };
    let index = issuers
        .iter()
        .rposition(|issuer| issuer.iss == *name)
        .unwrap_or_default();
    let place = match issuers.get(index).map(|issuer| &issuer.jwks) {
        Some(Jwks::File(path)) => format!("{}: ", path.display()),
        Some(Jwks::Url(_) | Jwks::Inline(_)) | None => String::new(),
    };
    let error = anyhow::Error::from(error);
    Problem::new(format!("issuer.{index}"), format!("{place}{error:#}"))
}
