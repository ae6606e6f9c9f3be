//! `postroom serve`: runs the service.

use std::io::{Write, stdout};
use std::path::Path;

use clap::{Args as Arguments, ValueEnum};
use domain::{AppId, ProfileId};
use storage_sql::FileAccess;

use super::config_args::ConfigArgs;
use crate::config::Flags;
use crate::dev::{self, Banner, BannerTokens, DataDir, DevKey, ScopeList, TokenKind};
use crate::failure::Failure;
use crate::serve::{self, Addresses};

/// Lifetime of the printed tokens.
const TOKEN_LIFETIME: &str = "12h";

const EXAMPLES: &str = "\
Examples:
  postroom serve --dev                       for a trial: creates a database, a key and tokens
  postroom serve --config postroom.toml      with your own issuers and database
  postroom serve --config postroom.toml --api user";

/// Serve Messaging and Sys, until SIGTERM
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Serve only this API
    #[arg(long, value_enum)]
    api: Option<Api>,
    /// Address of Messaging
    #[arg(long, value_name = "IP:PORT")]
    user_address: Option<String>,
    /// Address of Sys
    #[arg(long, value_name = "IP:PORT")]
    sys_address: Option<String>,
    /// Address of probes and metrics
    #[arg(long, value_name = "IP:PORT")]
    operations_address: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Api {
    /// Messaging
    User,
    /// Sys
    Sys,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let only = |api| args.api.map(|only| only == api);
    let flags = Flags::default()
        .with("--api", "user.enabled", only(Api::User))
        .with("--api", "sys.enabled", only(Api::Sys))
        .with("--user-address", "user.address", args.user_address)
        .with("--sys-address", "sys.address", args.sys_address)
        .with(
            "--operations-address",
            "operations.address",
            args.operations_address,
        );
    let mut config = args.config.load(flags, FileAccess::Exclusive)?;
    if !args.config.dev {
        return serve::run(config, |_| ()).await;
    }
    let key = dev::set_up(&DataDir::create(&args.config.data_dir)?, &mut config)?;
    let tokens = tokens(&key)?;
    let data_dir = args.config.data_dir;
    let print_banner = |addresses: &Addresses| {
        tracing::warn!(data.directory = %data_dir.display(), "dev.tokens_printed");
        // The service runs even if the output is closed.
        let _ = write!(stdout(), "{}", banner(addresses, tokens, &data_dir));
    };
    serve::run(config, print_banner).await
}

fn tokens(key: &DevKey) -> anyhow::Result<BannerTokens> {
    let app = AppId::parse(dev::APP)?;
    let mint = |kind| key.mint(&app, &kind, TOKEN_LIFETIME.parse()?);
    let user = |id, name: &str| -> anyhow::Result<String> {
        mint(TokenKind::User {
            id: ProfileId::parse(id)?,
            name: Some(name.to_owned()),
        })
    };
    Ok(BannerTokens {
        alice: user("alice", "Alice")?,
        bob: user("bob", "Bob")?,
        sys: mint(TokenKind::Sys {
            id: None,
            scopes: ScopeList::default(),
        })?,
    })
}

fn banner(addresses: &Addresses, tokens: BannerTokens, data_dir: &Path) -> Banner {
    let is_default = data_dir == Path::new(dev::DATA_DIR);
    let data_dir = if is_default {
        String::new()
    } else {
        format!(" --data-dir '{}'", data_dir.display())
    };
    Banner {
        user: addresses.user,
        sys: addresses.sys,
        tokens,
        program: std::env::args()
            .next()
            .unwrap_or_else(|| "postroom".to_owned()),
        data_dir,
        lifetime: TOKEN_LIFETIME,
    }
}
