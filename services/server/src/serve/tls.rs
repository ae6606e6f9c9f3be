//! TLS acceptors, from files that are read before any port is bound, and again when they change.

mod client_scopes;
mod reload;

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::config::{Problem, TlsPaths};
use crate::protected_file;

pub use client_scopes::ClientScopes;
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
    let key = private_key(key)
        .map_err(|error| problem(section, "key", &format!("{}: {error:#}", key.display())))?;

    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::new(section, error.to_string()))?;
    let builder = match &paths.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let crls = match &paths.client_crl {
                None => Vec::new(),
                Some(path) => revocation_lists(section, path)?,
            };
            builder.with_client_cert_verifier(verifier(section, path, crls, provider)?)
        }
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

fn private_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    protected_file::check_secret(path)?;
    Ok(PrivateKeyDer::from_pem_file(path)?)
}

/// End of a certificate's validity, in seconds since 1970.
fn end_of_validity(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn verifier(
    section: &str,
    path: &Path,
    crls: Vec<CertificateRevocationListDer<'static>>,
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
        .with_crls(crls)
        .build()
        .map_err(|error| refuse(&error))
}

fn certificates(
    section: &str,
    name: &str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, Problem> {
    pem_items(path, "certificate").map_err(|what| problem(section, name, &what))
}

fn revocation_lists(
    section: &str,
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Problem> {
    pem_items(path, "CRL").map_err(|what| problem(section, "client_crl", &what))
}

/// Reads the items of a PEM file, at least one of them.
fn pem_items<T: PemObject>(path: &Path, kind: &str) -> Result<Vec<T>, String> {
    let read = || -> anyhow::Result<Vec<T>> {
        protected_file::check_trusted(path)?;
        Ok(T::pem_file_iter(path)?.collect::<Result<_, _>>()?)
    };
    match read() {
        Ok(items) if items.is_empty() => Err(format!("{} contains no {kind}", path.display())),
        Ok(items) => Ok(items),
        Err(error) => Err(format!("{}: {error:#}", path.display())),
    }
}

fn problem(section: &str, name: &str, what: &str) -> Problem {
    Problem::new(format!("{section}.{name}"), what)
}
