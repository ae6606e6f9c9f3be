//! The service for users: `postroom.v1.Messaging`.
//!
//! One file per RPC, each read top to bottom: handle, parse, answer. What they share with
//! the privileged service is in [`rpc::convert`].

mod clear_messages;
mod delete_messages;
mod edit_message;
mod get_changes;
mod get_message_boxes;
mod get_message_counts;
mod get_messages;
mod get_messages_page;
mod get_messages_page_offset;
mod mark_messages_delivered;
mod mark_messages_read;
mod pace;
mod send_message;
mod send_message_simple;
mod service;
mod subscribe;
#[cfg(test)]
mod testing;

pub use pace::Pace;
pub use service::{Options, Service, service};
