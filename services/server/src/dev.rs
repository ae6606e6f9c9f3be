//! Development mode: a data directory with a database and a signing key, and tokens signed with it.
//! Production issuers have keys of their own.

mod audit_key;
mod banner;
mod data_dir;
mod key;
mod setup;
mod token;

pub use audit_key::{audit_key, create_audit_key};
pub use banner::{Banner, BannerTokens};
pub use data_dir::DataDir;
pub use key::DevKey;
pub use setup::{issuer, require_own_database, set_up};
pub use token::{ScopeList, TokenKind};

/// `iss` claim of development tokens.
pub const ISSUER: &str = "postroom-dev";
/// Default path of the data directory.
pub const DATA_DIR: &str = "./postroom-data";
/// App of the examples.
pub const APP: &str = "demo";
