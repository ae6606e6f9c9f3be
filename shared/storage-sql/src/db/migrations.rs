//! The migrations of both databases, embedded by the build script.
//!
//! `sqlx::migrate!` would do the same, and cost the build a second copy of sqlx and its drivers for
//! the macro.

use std::borrow::Cow;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Builds the migrator of a list of file names, such as `0001_mailboxes.sql`, and their SQL.
pub fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().filter_map(|(name, sql)| migration(name, sql));
    Migrator::with_migrations(migrations.collect())
}

/// Parses a file name into version and description; `None` if it is not a migration's.
fn migration(name: &'static str, sql: &'static str) -> Option<Migration> {
    let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
    Some(Migration::new(
        version.parse().ok()?,
        Cow::Owned(description.replace('_', " ")),
        MigrationType::Simple,
        SqlStr::from_static(sql),
        sql.starts_with("-- no-transaction"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_becomes_a_migration() {
        for files in [POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS] {
            let migrator = migrator(files);
            let versions: Vec<i64> = migrator.iter().map(|migration| migration.version).collect();
            assert_eq!(versions.len(), files.len());
            assert!(
                versions.is_sorted_by(|one, other| one < other),
                "{versions:?}"
            );
            let first = migrator.iter().next().expect("a migration");
            assert_eq!(first.description, "mailboxes");
        }
    }
}
