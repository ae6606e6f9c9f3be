//! Audit log of `Sys`.

use std::path::PathBuf;

use domain::audit::AuditKey;
use serde::Deserialize;
use storage_sql::AuditOptions;

use super::{HexKey, Lifetime};

/// Audit log of `Sys`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Key of the seals and of the chain, the same for all replicas. Required to serve `Sys`.
    pub key: Option<HexKey>,
    /// File that contains `key`, instead of it.
    pub key_file: Option<PathBuf>,
    /// Key that `key` replaces. Default none.
    pub previous_key: Option<HexKey>,
    /// File that contains `previous_key`, instead of it.
    pub previous_key_file: Option<PathBuf>,
    /// Records reads of contents, too. Default true.
    pub reads: bool,
    /// Time for which records are kept. Default 365 days.
    pub keep: Lifetime,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            key: None,
            key_file: None,
            previous_key: None,
            previous_key_file: None,
            reads: true,
            keep: Lifetime::from_days(365),
        }
    }
}

impl AuditConfig {
    /// Returns the key of the log.
    pub fn key(&self) -> Option<AuditKey> {
        let key = self.key.as_ref().map(HexKey::bytes);
        key.map(AuditKey::new)
    }

    /// Returns the key that it replaces.
    pub fn previous_key(&self) -> Option<AuditKey> {
        let key = self.previous_key.as_ref().map(HexKey::bytes);
        key.map(AuditKey::new)
    }

    pub(super) fn to_store(&self) -> AuditOptions {
        AuditOptions {
            key: self.key(),
            previous_key: self.previous_key(),
            keep_ms: self.keep.ms(),
        }
    }
}
