//! The methods of `postroom.sys.v1.Sys`.

mod delete_message;
mod delete_messages;
mod erase_app;
mod erase_profile;
mod export_profile;
mod get_app_settings;
mod get_bulk;
mod get_message_counts_for_owner;
mod get_messages;
mod get_messages_for_owner_page;
mod get_messages_for_owner_page_offset;
mod get_messages_page;
mod get_messages_page_offset;
pub mod list_audit;
mod revoke_tokens;
pub mod send_bulk;
mod send_message;
mod send_message_simple;
mod send_to_profiles;
mod update_app_settings;
mod update_message;
