//! `postroom keys`: key pairs for issuers of one's own.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::key_pair::{KeyAlgorithm, NewKeyPair};
use crate::output::print_line;

const PRIVATE_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;

const EXAMPLES: &str = "\
Example:
  postroom keys new --private app.key.pem --jwks app.jwks.json";

/// Make keys that sign tokens
#[derive(Debug, Subcommand)]
pub enum Command {
    New(NewArgs),
}

/// Make a key pair: a private key for the signer of tokens, and a JWKS for [[issuer]]
///
/// Existing files are not replaced. To change keys, make a new pair, put both public keys into the
/// list of one JWKS file, which replicas read within 10 minutes, then sign with the new key, and take
/// the old one out when its last token has expired.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArgs {
    /// File of the private key, PEM (PKCS #8), readable by its owner only
    #[arg(long, value_name = "FILE")]
    private: PathBuf,
    /// File of the public key, a JWKS
    #[arg(long, value_name = "FILE")]
    jwks: PathBuf,
    /// Algorithm of the signatures
    #[arg(long, value_enum, default_value = "eddsa")]
    algorithm: KeyAlgorithm,
}

pub fn run(command: Command) -> Result<(), Failure> {
    let Command::New(args) = command;
    for path in [&args.private, &args.jwks] {
        if path.exists() {
            return Err(taken(path));
        }
    }
    let pair = NewKeyPair::generate(args.algorithm);
    let pair = pair.map_err(|_| anyhow::anyhow!("no key could be generated"))?;
    write(&args.private, &pair.private, PRIVATE_MODE)?;
    write(&args.jwks, &pair.jwks, PUBLIC_MODE)?;
    print_line(format_args!("kid {}", pair.kid))
}

/// Writes a file that does not exist yet.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(path)),
        file => file.with_context(|| path.display().to_string())?,
    };
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    Ok(written.with_context(|| path.display().to_string())?)
}

fn taken(path: &Path) -> Failure {
    Failure::Usage(format!("{} exists and is not replaced", path.display()))
}
