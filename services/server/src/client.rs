//! Client side of the commands that call the service.

mod format;
mod json;
mod message;
mod progress;
mod session;
mod status;

pub use format::{delivery, escape, person, preview, table, text_of, time};
pub use json::decode as decode_json;
pub use message::MessageArgs;
pub use progress::progress;
pub use session::{Session, SysArgs, UserArgs};
