//! The schema: which version a database has, and how it gets the one that this program
//! works with.

use sqlx::migrate::{Migrate, MigrateError};
use storage::Error;

use crate::db::backend::{Backend, Pools};
use crate::db::connection::wrap;
use crate::db::open_error::OpenError;

/// The least version of the schema with which this program works.
const LOWEST: i64 = 4;
/// Where the steps that were taken are written down.
const TABLE: &str = "_sqlx_migrations";

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// What it is about.
    pub description: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// The steps that this program knows, and those that the database has beyond them.
pub async fn status<DB: Backend>(pools: &Pools<DB>) -> Result<Vec<Step>, Error>
where
    DB::Connection: Migrate,
{
    let mut pooled = pools.write.take().await.map_err(wrap::<DB>)?;
    let connection = pooled.begin_use().map_err(wrap::<DB>)?;
    let applied = match connection.list_applied_migrations(TABLE).await {
        Ok(applied) => applied,
        // To look must not need the right to create.
        Err(MigrateError::Execute(error)) if DB::is_missing_table(&error) => Vec::new(),
        Err(error) => return Err(failed::<DB>(error)),
    };
    let has = |version: i64| applied.iter().any(|step| step.version == version);
    let known = DB::migrator().iter().map(|step| Step {
        version: step.version,
        description: step.description.to_string(),
        applied: has(step.version),
    });
    let mut steps: Vec<Step> = known.collect();
    for step in &applied {
        if !steps.iter().any(|known| known.version == step.version) {
            let description = "made by a newer program".to_owned();
            steps.push(Step {
                version: step.version,
                description,
                applied: true,
            });
        }
    }
    Ok(steps)
}

/// Takes the steps that the database does not have yet.
pub async fn up<DB: Backend>(pools: &Pools<DB>) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    found(pools).await?;
    let mut pooled = pools.write.take().await.map_err(wrap::<DB>)?;
    let connection = pooled.begin_use().map_err(wrap::<DB>)?;
    let run = DB::migrator()
        .run_direct(None, &mut **connection, false)
        .await;
    Ok(run.map_err(failed::<DB>)?)
}

/// Whether this program works with the schema that the database has.
pub async fn check<DB: Backend>(pools: &Pools<DB>) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    match found(pools).await? {
        found if found < LOWEST => Err(OpenError::TooOld {
            found,
            lowest: LOWEST,
        }),
        _ => Ok(()),
    }
}

/// The version that the database has, which is none that this program does not know.
async fn found<DB: Backend>(pools: &Pools<DB>) -> Result<i64, OpenError>
where
    DB::Connection: Migrate,
{
    let steps = status(pools).await?;
    let applied = steps.iter().filter(|step| step.applied);
    let found = applied.map(|step| step.version).max().unwrap_or(0);
    let known = DB::migrator().iter().map(|step| step.version);
    let highest = known.max().unwrap_or(LOWEST);
    if found > highest {
        return Err(OpenError::TooNew { found, highest });
    }
    Ok(found)
}

fn failed<DB: Backend>(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) => wrap::<DB>(error),
        error => Error::Internal(error.into()),
    }
}
