//! Methods of `postroom.v1.Messaging`.

use super::Effect::{Reads, Writes, WritesIdempotently};
use super::{Access, Effect, Method, catalogue};
use crate::caller::User;

const fn user(path: &'static str, effect: Effect) -> Method {
    Method::new(path, Access::User, effect)
}

catalogue! { User:
    GET_MESSAGE_BOXES = user("/postroom.v1.Messaging/GetMessageBoxes", Reads);
    GET_MESSAGE_COUNTS = user("/postroom.v1.Messaging/GetMessageCounts", Reads);
    // Marks the messages as read if asked to.
    GET_MESSAGES = user("/postroom.v1.Messaging/GetMessages", WritesIdempotently).showing_contents();
    GET_MESSAGES_PAGE = user("/postroom.v1.Messaging/GetMessagesPage", Reads).showing_contents();
    GET_MESSAGES_PAGE_OFFSET = user("/postroom.v1.Messaging/GetMessagesPageOffset", Reads).showing_contents();
    SEND_MESSAGE = user("/postroom.v1.Messaging/SendMessage", Writes).sending();
    SEND_MESSAGE_SIMPLE = user("/postroom.v1.Messaging/SendMessageSimple", Writes).sending();
    MARK_MESSAGES_READ = user("/postroom.v1.Messaging/MarkMessagesRead", Writes);
    MARK_MESSAGES_DELIVERED = user("/postroom.v1.Messaging/MarkMessagesDelivered", WritesIdempotently);
    DELETE_MESSAGES = user("/postroom.v1.Messaging/DeleteMessages", Writes);
    CLEAR_MESSAGES = user("/postroom.v1.Messaging/ClearMessages", Writes);
    // New text for all holders, as a send.
    EDIT_MESSAGE = user("/postroom.v1.Messaging/EditMessage", Writes).sending();
    BLOCK_PROFILE = user("/postroom.v1.Messaging/BlockProfile", Writes);
    UNBLOCK_PROFILE = user("/postroom.v1.Messaging/UnblockProfile", Writes);
    LIST_BLOCKS = user("/postroom.v1.Messaging/ListBlocks", Reads);
    GET_CHANGES = user("/postroom.v1.Messaging/GetChanges", Reads).showing_contents();
    // Marks what it delivers.
    SUBSCRIBE = user("/postroom.v1.Messaging/Subscribe", WritesIdempotently).streaming().showing_contents();
}
