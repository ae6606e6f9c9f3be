//! The methods of `postroom.v1.Conversations`.

mod add_participants;
pub mod create_conversation;
mod get_conversations;
mod leave_conversation;
mod list_conversations;
mod remove_participants;
mod replace_participants;
mod update_conversation_metadata;
