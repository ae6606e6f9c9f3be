//! The methods of `postroom.v1.Messaging`.

pub mod block_profile;
mod clear_messages;
mod delete_messages;
mod edit_message;
mod get_changes;
mod get_message_boxes;
mod get_message_counts;
mod get_messages;
mod get_messages_page;
mod get_messages_page_offset;
mod list_blocks;
mod mark_messages_delivered;
mod mark_messages_read;
mod send_message;
mod send_message_simple;
mod unblock_profile;
