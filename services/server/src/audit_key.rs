//! The key of the audit log, held against the log.

use storage::Store;

use crate::config::{AuditConfig, Problem};
use crate::failure::Failure;

/// Checks that the log is sealed with the configured key, or with the one that it replaces. Without a
/// key this replica neither writes records nor chains them.
///
/// # Errors
/// If it is sealed with another key, or the store fails.
pub async fn check_audit_key(config: &AuditConfig, store: &dyn Store) -> Result<(), Failure> {
    let Some(key) = config.key() else {
        return Ok(());
    };
    let previous = config.previous_key().map(|key| key.id());
    let sealers = store.audit_head_keys().await.map_err(anyhow::Error::from)?;
    let foreign = sealers
        .into_iter()
        .find(|id| *id != key.id() && Some(*id) != previous);
    foreign.map_or(Ok(()), |foreign| {
        let what = format!(
            "has the id {}, and the audit log is sealed with key {foreign}: use that key, or name it \
             in audit.previous_key_file to replace it",
            key.id()
        );
        Err(Problem::new("audit.key", what).into())
    })
}
