//! `postroom audit`: the audit log, for operators.

mod export;
mod verify;

use clap::Subcommand;
use domain::AppId;
use storage::AuditLog;

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  postroom audit verify --config postroom.toml
  postroom audit export --config postroom.toml --app chess > chess.jsonl";

/// Verify or export the audit log of Sys
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    Verify(verify::Args),
    Export(export::Args),
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(args) => verify::run(args).await,
        Command::Export(args) => export::run(args).await,
    }
}

/// Returns the apps with an audit log; only the named one if there is one.
async fn apps(log: &dyn AuditLog, only: Option<&AppId>) -> anyhow::Result<Vec<AppId>> {
    let mut apps = Vec::new();
    let mut after = None;
    loop {
        let part = log.audited_apps(after.take()).await?;
        after = part.last().cloned();
        apps.extend(
            part.into_iter()
                .filter(|app| only.is_none_or(|only| only == app)),
        );
        if after.is_none() {
            return Ok(apps);
        }
    }
}
