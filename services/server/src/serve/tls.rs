//! TLS acceptors, from files that are read before any port is bound, and again when they change.

mod reload;

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::config::{Problem, TlsPaths};

pub use reload::ReloadedTls;

/// TLS acceptor of a listener, with the end of its certificate.
struct LoadedTls {
    acceptor: TlsAcceptor,
    /// End of the certificate's validity, in seconds since 1970.
    expires_s: i64,
}

/// Builds the TLS acceptor of a listener; `None` for plaintext. `section` is the section of the
/// configuration that has the paths.
///
/// # Errors
/// If a file cannot be read or used.
fn load(section: &str, paths: &TlsPaths) -> Result<Option<LoadedTls>, Problem> {
    let (Some(certificate), Some(key)) = (&paths.certificate, &paths.key) else {
        return Ok(None);
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(section, "certificate", certificate)?;
    let expires_s = chain.first().and_then(end_of_validity).ok_or_else(|| {
        let what = format!("{} has no validity", certificate.display());
        problem(section, "certificate", &what)
    })?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| problem(section, "key", &format!("{}: {error}", key.display())))?;

    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::new(section, error.to_string()))?;
    let builder = match &paths.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(verifier(section, path, provider)?),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| Problem::new(section, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(LoadedTls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        expires_s,
    }))
}

/// End of a certificate's validity, in seconds since 1970.
fn end_of_validity(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn verifier(
    section: &str,
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Problem> {
    let refuse = |error: &dyn std::fmt::Display| {
        problem(
            section,
            "client_ca",
            &format!("{}: {error}", path.display()),
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(section, "client_ca", path)? {
        roots.add(certificate).map_err(|error| refuse(&error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| refuse(&error))
}

fn certificates(
    section: &str,
    name: &str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(chain) if chain.is_empty() => Err(problem(
            section,
            name,
            &format!("{} contains no certificate", path.display()),
        )),
        Ok(chain) => Ok(chain),
        Err(error) => Err(problem(
            section,
            name,
            &format!("{}: {error}", path.display()),
        )),
    }
}

fn problem(section: &str, name: &str, what: &str) -> Problem {
    Problem::new(format!("{section}.{name}"), what)
}
