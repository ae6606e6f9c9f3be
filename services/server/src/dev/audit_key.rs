//! The development key of the audit log, created on the first start and kept in the data directory.

use std::path::PathBuf;

use domain::text::hexadecimal;

use super::DataDir;
use crate::config::Problem;

const FILE: &str = "audit-key";

/// Returns the file of a data directory with the key, which is created if it does not exist.
///
/// # Errors
/// If the file cannot be read or written, or others may read it.
pub fn create_audit_key(data: &DataDir) -> Result<PathBuf, Problem> {
    if let Some(file) = audit_key(data)? {
        return Ok(file);
    }
    let key: [u8; 32] = rand::random();
    data.write(FILE, &hexadecimal(&key))?;
    Ok(data.file(FILE))
}

/// Returns the file of a data directory with the key; none if it does not exist.
///
/// # Errors
/// If the file cannot be read, or others may read it.
pub fn audit_key(data: &DataDir) -> Result<Option<PathBuf>, Problem> {
    let found = data.read(FILE)?;
    Ok(found.map(|_| data.file(FILE)))
}
