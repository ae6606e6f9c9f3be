//! The real program: built, started, looked at, and ended in every way.

mod home;
mod lines;
mod program;
mod server;

pub use home::Home;
pub use lines::Lines;
pub use program::{path, postroom};
pub use server::{Server, Start, SystemClient, Tokens, UserClient};
