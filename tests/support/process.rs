//! The real program: built, started, looked at, and ended in every way.

mod deployment;
mod lines;
mod program;
mod server;

pub use deployment::Deployment;
pub use lines::OutputLines;
pub use program::{path, postroom};
pub use server::{DevTokens, ServerProcess, StartOptions, SystemClient, UserClient};
