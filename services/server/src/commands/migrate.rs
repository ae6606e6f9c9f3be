//! `postroom migrate`: schema migrations of the database.

use clap::Subcommand;
use storage_sql::{FileAccess, migrate_status, migrate_up};

use super::config_args::ConfigArgs;
use crate::client::table;
use crate::config::{Config, Flags};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom migrate up --config postroom.toml
  POSTROOM_DATABASE__URL_FILE=database-url postroom migrate up";

/// Apply schema migrations, or show which are applied
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    /// Apply the pending migrations
    Up(ConfigArgs),
    /// List all migrations, applied or not
    Status(ConfigArgs),
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(args) => up(&args.load(Flags::default(), FileAccess::Create)?).await,
        Command::Status(args) => status(&args.load(Flags::default(), FileAccess::Existing)?).await,
    }
}

async fn up(config: &Config) -> Result<(), Failure> {
    migrate_up(&config.store_options(FileAccess::Create))
        .await
        .map_err(anyhow::Error::from)?;
    status(config).await
}

async fn status(config: &Config) -> Result<(), Failure> {
    let migrations = migrate_status(&config.store_options(FileAccess::Existing))
        .await
        .map_err(anyhow::Error::from)?;
    let mut table = table(&["version", "migration", "applied"]);
    for migration in migrations {
        let applied = if migration.applied { "yes" } else { "no" };
        table.add_row([
            migration.version.to_string(),
            migration.description,
            applied.to_owned(),
        ]);
    }
    print_line(&table)
}
