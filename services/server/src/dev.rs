//! What makes a service that can be tried at once: a data directory with a database, a
//! signing key, and tokens made with it. For development; a production issuer has keys of
//! its own.

mod banner;
mod data_dir;
mod key;
mod setup;
mod token;

pub use banner::{Banner, Tokens};
pub use data_dir::DataDir;
pub use key::DevKey;
pub use setup::set_up;
pub use token::{Caller, Scopes};

/// The `iss` claim of development tokens.
pub const ISSUER: &str = "postroom-dev";
/// Where the data directory is, unless said otherwise.
pub const DATA_DIR: &str = "./postroom-data";
/// The app of the examples.
pub const APP: &str = "demo";
