//! Configuration of the listeners.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

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
}

impl Default for SysConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            address: loopback(7601),
            insecure: false,
            tls: TlsPaths::default(),
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
}

impl TlsPaths {
    /// Returns whether the listener is plaintext.
    pub fn is_plaintext(&self) -> bool {
        *self == Self::default()
    }
}
