//! The schema: its version in a database, and its migrations.

use sqlx::migrate::{Migrate, MigrateError};
use storage::Error;

use crate::db::backend::{Backend, Pools};
use crate::db::connection::wrap;
use crate::db::open_error::OpenError;

/// The table of applied migrations.
const TABLE: &str = "_sqlx_migrations";

/// A migration of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Number, from 1.
    pub version: i64,
    /// Description, from the file name.
    pub description: String,
    /// True if the database has it.
    pub applied: bool,
}

/// Returns the migrations of this program, and those that the database has beyond them.
pub async fn status<DB: Backend>(pools: &Pools<DB>) -> Result<Vec<MigrationStatus>, Error>
where
    DB::Connection: Migrate,
{
    let mut pooled = pools.write.take().await.map_err(wrap::<DB>)?;
    let connection = pooled.begin_use().map_err(wrap::<DB>)?;
    let applied = match connection.list_applied_migrations(TABLE).await {
        Ok(applied) => applied,
        // Reading must not need the right to create the table.
        Err(MigrateError::Execute(error)) if DB::is_missing_table(&error) => Vec::new(),
        Err(error) => return Err(failed::<DB>(error)),
    };
    let has = |version: i64| applied.iter().any(|step| step.version == version);
    let known = DB::migrator().iter().map(|step| MigrationStatus {
        version: step.version,
        description: step.description.to_string(),
        applied: has(step.version),
    });
    let mut steps: Vec<MigrationStatus> = known.collect();
    for step in &applied {
        if !steps.iter().any(|known| known.version == step.version) {
            let description = "made by a newer program".to_owned();
            steps.push(MigrationStatus {
                version: step.version,
                description,
                applied: true,
            });
        }
    }
    Ok(steps)
}

/// Checks that the database suits this program, whatever its schema.
///
/// # Errors
/// [`OpenError::Unsuitable`].
async fn check_database<DB: Backend>(pools: &Pools<DB>) -> Result<(), OpenError> {
    let mut pooled = pools.write.take().await.map_err(wrap::<DB>)?;
    let connection = pooled.begin_use().map_err(wrap::<DB>)?;
    let unsuitable = DB::unsuitable(connection).await.map_err(wrap::<DB>)?;
    pooled.mark_clean();
    unsuitable.map_or(Ok(()), |unsuitable| Err(unsuitable.into()))
}

/// Applies the migrations that the database does not have yet.
///
/// # Errors
/// [`OpenError::Unsuitable`], [`OpenError::TooNew`].
pub async fn up<DB: Backend>(pools: &Pools<DB>) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    check_database(pools).await?;
    found(pools).await?;
    let mut pooled = pools.write.take().await.map_err(wrap::<DB>)?;
    let connection = pooled.begin_use().map_err(wrap::<DB>)?;
    let run = DB::migrator()
        .run_direct(None, &mut **connection, false)
        .await;
    Ok(run.map_err(failed::<DB>)?)
}

/// Checks that the database suits this program, and has all of its migrations and no others.
///
/// # Errors
/// [`OpenError::Unsuitable`], [`OpenError::TooOld`], [`OpenError::TooNew`].
pub async fn check<DB: Backend>(pools: &Pools<DB>) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    check_database(pools).await?;
    let (found, lowest) = (found(pools).await?, highest::<DB>());
    if found < lowest {
        return Err(OpenError::TooOld { found, lowest });
    }
    Ok(())
}

/// Returns the version of the database.
///
/// # Errors
/// [`OpenError::TooNew`] if this program does not know it.
async fn found<DB: Backend>(pools: &Pools<DB>) -> Result<i64, OpenError>
where
    DB::Connection: Migrate,
{
    let steps = status(pools).await?;
    let applied = steps.iter().filter(|step| step.applied);
    let found = applied.map(|step| step.version).max().unwrap_or(0);
    let highest = highest::<DB>();
    if found > highest {
        return Err(OpenError::TooNew { found, highest });
    }
    Ok(found)
}

/// Returns the version that this program needs: that of its last migration.
fn highest<DB: Backend>() -> i64 {
    let known = DB::migrator().iter().map(|step| step.version);
    known.max().unwrap_or(0)
}

fn failed<DB: Backend>(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) => wrap::<DB>(error),
        error => Error::Internal(error.into()),
    }
}
