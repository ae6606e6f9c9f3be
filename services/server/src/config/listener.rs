//! Where the service listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The listener of `Messaging`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserListener {
    /// Whether it listens.
    pub enabled: bool,
    /// Where.
    pub address: SocketAddr,
    /// Its certificate.
    pub tls: TlsPaths,
}

impl Default for UserListener {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7600),
            tls: TlsPaths::default(),
        }
    }
}

/// The listener of `Sys`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SysListener {
    /// Whether it listens.
    pub enabled: bool,
    /// Where.
    pub address: SocketAddr,
    /// Whether it may listen beyond loopback without TLS.
    pub insecure: bool,
    /// Its certificate.
    pub tls: TlsPaths,
}

impl Default for SysListener {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7601),
            insecure: false,
            tls: TlsPaths::default(),
        }
    }
}

/// The listener of probes and metrics, over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationsListener {
    /// Whether it listens.
    pub enabled: bool,
    /// Where.
    pub address: SocketAddr,
    /// Where `/livez` and `/readyz` answer as well, and `/metrics` does not.
    pub probes_address: Option<SocketAddr>,
}

impl Default for OperationsListener {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7602),
            probes_address: None,
        }
    }
}

/// The PEM files of a listener with TLS: certificate and key, or none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsPaths {
    /// Its certificate, and those between it and the root.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key.
    pub key: Option<PathBuf>,
    /// Whose certificates clients must show; none: clients show none.
    pub client_ca: Option<PathBuf>,
}

impl TlsPaths {
    /// Whether the listener speaks plaintext.
    pub fn is_plaintext(&self) -> bool {
        *self == Self::default()
    }
}
