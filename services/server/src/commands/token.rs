//! `postroom token`: a token made with the development key.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum};
use domain::{AppId, ProfileId};

use crate::config::Lifetime;
use crate::dev::{self, Caller, DataDir, DevKey, Scopes};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  postroom token --sub alice
  postroom token --sub alice --app chess --ttl 1h
  postroom token --kind sys --scope 'sys.read sys.send'
  export ALICE=$(postroom token --sub alice)";

/// Make a token with the development key, and print it
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The profile; optional for --kind sys
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse)]
    sub: Option<ProfileId>,
    /// The app
    #[arg(long, default_value = dev::APP, value_parser = AppId::parse)]
    app: AppId,
    /// The kind of caller
    #[arg(long, value_enum, default_value = "user")]
    kind: Kind,
    /// What a Sys caller may do, separated by spaces or commas; everything if not given
    #[arg(long, value_name = "SCOPES")]
    scope: Option<Scopes>,
    /// What recipients are shown beside the profile id
    #[arg(long)]
    name: Option<String>,
    /// How long it is good, as 30d, 12h or 15m
    #[arg(long, default_value = "12h")]
    ttl: Lifetime,
    /// Where the development key is
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR, value_name = "DIR")]
    data_dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A user, who calls Messaging
    User,
    /// The app, which calls Sys
    Sys,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let key = DevKey::open(&DataDir::open(&args.data_dir)?)?;
    let caller = match (args.kind, args.sub, args.scope) {
        (Kind::User, Some(id), None) => Caller::User {
            id,
            name: args.name,
        },
        (Kind::User, None, _) => return usage("a user's token needs --sub"),
        (Kind::User, _, Some(_)) => return usage("--scope is for --kind sys"),
        (Kind::Sys, id, scopes) => Caller::Sys {
            id,
            scopes: scopes.unwrap_or_default(),
        },
    };
    println!("{}", key.mint(&args.app, &caller, args.ttl)?);
    Ok(())
}

fn usage(what: &str) -> Result<(), Failure> {
    Err(Failure::Usage(what.to_owned()))
}
