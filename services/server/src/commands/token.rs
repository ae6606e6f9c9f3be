//! `postroom token`: creates a token with the development key, or explains one.

mod explain;

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum};
use domain::{AppId, ProfileId};

use crate::config::Lifetime;
use crate::dev::{self, DataDir, DevKey, ScopeList, TokenKind};
use crate::failure::Failure;
use crate::output::print_line;

const EXAMPLES: &str = "\
Examples:
  postroom token --sub alice
  postroom token --sub alice --app chess --ttl 1h
  postroom token --kind sys --scope 'sys.read sys.send'
  export ALICE=$(postroom token --sub alice)
  postroom token --explain - --config postroom.toml < token.txt";

/// Create a token with the development key and print it, or explain why one is refused
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Profile id; optional for --kind sys
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse)]
    sub: Option<ProfileId>,
    /// App id
    #[arg(long, default_value = dev::APP, value_parser = AppId::parse)]
    app: AppId,
    /// Kind of caller
    #[arg(long, value_enum, default_value = "user")]
    kind: Kind,
    /// Scopes of a Sys caller, separated by spaces or commas. Default: all
    #[arg(long, value_name = "SCOPES")]
    scope: Option<ScopeList>,
    /// Name that recipients are shown beside the profile id
    #[arg(long)]
    name: Option<String>,
    /// Time to live, such as 30d, 12h or 15m
    #[arg(long, default_value = "12h")]
    ttl: Lifetime,
    /// Development data directory, which contains the key
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR, value_name = "DIR")]
    data_dir: PathBuf,
    /// Say whether a token is accepted, and why not; - reads it from standard input
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["sub", "scope", "name"])]
    explain: Option<String>,
    /// Configuration with the issuers, for --explain. Default: the development key
    #[arg(long, env = "POSTROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// User of Messaging
    User,
    /// Privileged caller of Sys
    Sys,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    if let Some(token) = &args.explain {
        return explain::run(token, args.config.as_deref(), &args.data_dir).await;
    }
    let key = DevKey::open(&DataDir::open(&args.data_dir)?)?;
    let caller = match (args.kind, args.sub, args.scope) {
        (Kind::User, Some(id), None) => TokenKind::User {
            id,
            name: args.name,
        },
        (Kind::User, None, _) => return usage("a user's token needs --sub"),
        (Kind::User, _, Some(_)) => return usage("--scope is for --kind sys"),
        (Kind::Sys, id, scopes) => TokenKind::Sys {
            id,
            scopes: scopes.unwrap_or_default(),
        },
    };
    print_line(key.mint(&args.app, &caller, args.ttl)?)
}

fn usage(what: &str) -> Result<(), Failure> {
    Err(Failure::Usage(what.to_owned()))
}
