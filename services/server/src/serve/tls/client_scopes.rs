//! Scopes of the clients of `Sys`, by the names in their certificates.

use std::collections::HashMap;

use auth::Scopes;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::config::ClientConfig;

/// Scopes by subject alternative name.
pub struct ClientScopes(HashMap<String, Scopes>);

impl ClientScopes {
    /// Scopes of configured clients; `None` if there are none, and certificates decide nothing.
    pub fn of(clients: &[ClientConfig]) -> Option<Self> {
        if clients.is_empty() {
            return None;
        }
        let mut scopes = HashMap::<String, Scopes>::new();
        for client in clients {
            let known = scopes.entry(client.name.clone()).or_default();
            *known = known.union(client.scopes.0);
        }
        Some(Self(scopes))
    }

    /// Scopes of all names in the certificate that a client has presented, the first of a chain.
    /// A certificate without a known name has none.
    pub fn granted(&self, chain: Option<&[CertificateDer<'_>]>) -> Scopes {
        let names = chain.and_then(<[_]>::first).map(names).unwrap_or_default();
        let known = names.iter().filter_map(|name| self.0.get(name));
        known.fold(Scopes::default(), |all, scopes| all.union(*scopes))
    }
}

/// DNS names, URIs and e-mail addresses of a certificate's subject alternative name.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter();
    let texts = names.filter_map(|name| match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
            Some((*name).to_owned())
        }
        _ => None,
    });
    texts.collect()
}
