//! Configuration of the listeners.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use auth::{Scope, Scopes};
use serde::Deserialize;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Listener of `Messaging`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserConfig {
    /// Enables the listener. Default true.
    pub enabled: bool,
    /// Address and port.
    pub address: SocketAddr,
    /// Certificate, key and client CA.
    pub tls: TlsPaths,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7600),
            tls: TlsPaths::default(),
        }
    }
}

/// Listener of `Sys`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SysConfig {
    /// Enables the listener. Default true.
    pub enabled: bool,
    /// Address and port.
    pub address: SocketAddr,
    /// Permits an address beyond loopback without TLS. Default false.
    pub insecure: bool,
    /// Certificate, key and client CA.
    pub tls: TlsPaths,
    /// Clients by the names in their certificates. Default: any certificate of the client CA.
    pub client: Vec<ClientConfig>,
}

/// Client of `Sys`, known by its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Subject alternative name in the certificate: a DNS name, URI or e-mail address.
    pub name: String,
    /// Scopes that the client has at most, whatever its tokens say.
    pub scopes: ScopeNames,
}

/// List of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct ScopeNames(pub Scopes);

/// Error for a name that is not a scope.
#[derive(Debug, thiserror::Error)]
#[error("must be a list of scopes, such as sys.read")]
pub struct NotAScope;

impl TryFrom<Vec<String>> for ScopeNames {
    type Error = NotAScope;

    fn try_from(names: Vec<String>) -> Result<Self, NotAScope> {
        let scope = |name: &String| Scope::ALL.into_iter().find(|scope| scope.as_str() == name);
        let scopes: Option<Scopes> = names.iter().map(scope).collect();
        scopes.map(Self).ok_or(NotAScope)
    }
}

impl Default for SysConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7601),
            insecure: false,
            tls: TlsPaths::default(),
            client: Vec::new(),
        }
    }
}

/// Listener of probes and metrics, over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationsConfig {
    /// Enables the listener. Default true.
    pub enabled: bool,
    /// Address and port.
    pub address: SocketAddr,
    /// Second address, for `/livez` and `/readyz` but not `/metrics`. Default: none.
    pub probes_address: Option<SocketAddr>,
}

impl Default for OperationsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7602),
            probes_address: None,
        }
    }
}

/// PEM files of a listener with TLS: certificate and key, or neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsPaths {
    /// Certificate chain.
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate.
    pub key: Option<PathBuf>,
    /// CA of the certificates that clients must present. Default: clients present none.
    pub client_ca: Option<PathBuf>,
    /// Certificates of clients that were revoked, as CRLs. Default: none.
    pub client_crl: Option<PathBuf>,
}

impl TlsPaths {
    /// Returns whether the listener is plaintext.
    pub fn is_plaintext(&self) -> bool {
        *self == Self::default()
    }

    /// The files that are configured.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let all = [
            &self.certificate,
            &self.key,
            &self.client_ca,
            &self.client_crl,
        ];
        all.into_iter().flatten().map(PathBuf::as_path)
    }
}
