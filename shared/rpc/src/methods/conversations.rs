//! Methods of `postroom.v1.Conversations`.

use super::Effect::{Reads, Writes};
use super::{Access, Effect, Method, catalogue};
use crate::caller::User;

const fn user(path: &'static str, effect: Effect) -> Method {
    Method::new(path, Access::User, effect)
}

catalogue! { User:
    CREATE_CONVERSATION = user("/postroom.v1.Conversations/CreateConversation", Writes);
    GET_CONVERSATIONS = user("/postroom.v1.Conversations/GetConversations", Reads);
    LIST_CONVERSATIONS = user("/postroom.v1.Conversations/ListConversations", Reads);
    ADD_PARTICIPANTS = user("/postroom.v1.Conversations/AddParticipants", Writes);
    REMOVE_PARTICIPANTS = user("/postroom.v1.Conversations/RemoveParticipants", Writes);
    REPLACE_PARTICIPANTS = user("/postroom.v1.Conversations/ReplaceParticipants", Writes);
    LEAVE_CONVERSATION = user("/postroom.v1.Conversations/LeaveConversation", Writes);
    UPDATE_CONVERSATION_METADATA = user("/postroom.v1.Conversations/UpdateConversationMetadata", Writes);
}
