//! The service for the app itself: `postroom.sys.v1.Sys`.
//!
//! One file per RPC, each read top to bottom: handle, parse, answer. What they share with
//! the service for users is in [`rpc::convert`].

mod cancel_send_job;
mod delete_message;
mod delete_messages;
mod from;
mod get_app_settings;
mod get_bulk;
mod get_message_counts_for_owner;
mod get_messages;
mod get_messages_for_owner_page;
mod get_messages_for_owner_page_offset;
mod get_messages_page;
mod get_messages_page_offset;
mod get_send_job;
mod job;
mod owner;
mod send_bulk;
mod send_message;
mod send_message_simple;
mod send_to_profiles;
mod service;
mod settings;
mod update_app_settings;
mod update_message;

pub use service::{Service, service};
