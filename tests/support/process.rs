//! The real program: built, started, looked at, and ended in every way.

mod deployment;
mod dev_key;
mod lines;
mod program;
mod server;

pub use deployment::Deployment;
pub use lines::OutputLines;
pub use program::{path, postroom};
pub use server::{
    AUDIT_KEY, DATABASE_VARIABLE, DevTokens, ServerProcess, StartOptions, SystemClient, UserClient,
};
