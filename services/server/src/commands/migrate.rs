//! `postroom migrate`: the schema of the database.

use clap::Subcommand;
use storage_sql::{migrate_status, migrate_up};

use super::options::{ConfigArgs, store_options};
use crate::client::table;
use crate::config::{Config, Flags};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Example:
  postroom migrate up --database-url postgres://postroom:secret@localhost/postroom";

/// Bring the database's schema up to date, or show which steps it has
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    /// Take the steps that the database does not have yet
    Up(ConfigArgs),
    /// Show the steps, and which of them the database has
    Status(ConfigArgs),
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(args) => up(&args.load(Flags::default())?).await,
        Command::Status(args) => status(&args.load(Flags::default())?).await,
    }
}

async fn up(config: &Config) -> Result<(), Failure> {
    migrate_up(&store_options(config))
        .await
        .map_err(anyhow::Error::from)?;
    status(config).await
}

async fn status(config: &Config) -> Result<(), Failure> {
    let steps = migrate_status(&store_options(config))
        .await
        .map_err(anyhow::Error::from)?;
    let mut table = table(&["version", "step", "applied"]);
    for step in steps {
        let applied = if step.applied { "yes" } else { "no" };
        table.add_row([
            step.version.to_string(),
            step.description,
            applied.to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}
