//! The client side of the commands for people.

mod content;
mod message;
mod progress;
mod refused;
mod session;
mod show;

pub use message::MessageArgs;
pub use progress::progress;
pub use session::{Session, SysArgs, UserArgs};
pub use show::{delivery, escape, person, preview, table, text_of, time};
