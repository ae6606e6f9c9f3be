//! Every method, the callers it allows, and the code that they get for an empty request.

use tonic::Code::{self, InvalidArgument, Ok as Fine};

/// Callers that a method allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedCallers {
    /// Users.
    User,
    /// The app, with this scope.
    Sys(&'static str),
}

use AllowedCallers::{Sys, User};

/// A method.
#[derive(Debug, Clone, Copy)]
pub struct AccessRule {
    /// Path of the method.
    pub path: &'static str,
    /// Callers that the method allows.
    pub who: AllowedCallers,
    /// Code that they get.
    pub then: Code,
}

const fn user(path: &'static str, then: Code) -> AccessRule {
    AccessRule {
        path,
        who: User,
        then,
    }
}

const fn sys(path: &'static str, scope: &'static str, then: Code) -> AccessRule {
    AccessRule {
        path,
        who: Sys(scope),
        then,
    }
}

/// All methods of all services.
pub const ROWS: [AccessRule; 49] = [
    user("/postroom.v1.Messaging/GetMessageBoxes", Fine),
    user("/postroom.v1.Messaging/GetMessageCounts", Fine),
    user("/postroom.v1.Messaging/GetMessages", InvalidArgument),
    user("/postroom.v1.Messaging/GetMessagesPage", Fine),
    user(
        "/postroom.v1.Messaging/GetMessagesPageOffset",
        InvalidArgument,
    ),
    user("/postroom.v1.Messaging/SendMessage", InvalidArgument),
    user("/postroom.v1.Messaging/SendMessageSimple", InvalidArgument),
    user("/postroom.v1.Messaging/MarkMessagesRead", InvalidArgument),
    user(
        "/postroom.v1.Messaging/MarkMessagesDelivered",
        InvalidArgument,
    ),
    user("/postroom.v1.Messaging/DeleteMessages", InvalidArgument),
    user("/postroom.v1.Messaging/ClearMessages", InvalidArgument),
    user("/postroom.v1.Messaging/EditMessage", InvalidArgument),
    user("/postroom.v1.Messaging/BlockProfile", InvalidArgument),
    user("/postroom.v1.Messaging/UnblockProfile", InvalidArgument),
    user("/postroom.v1.Messaging/ListBlocks", Fine),
    user("/postroom.v1.Messaging/GetChanges", Fine),
    user("/postroom.v1.Messaging/Subscribe", Fine),
    user(
        "/postroom.v1.Conversations/CreateConversation",
        InvalidArgument,
    ),
    user(
        "/postroom.v1.Conversations/GetConversations",
        InvalidArgument,
    ),
    user("/postroom.v1.Conversations/ListConversations", Fine),
    user(
        "/postroom.v1.Conversations/AddParticipants",
        InvalidArgument,
    ),
    user(
        "/postroom.v1.Conversations/RemoveParticipants",
        InvalidArgument,
    ),
    user(
        "/postroom.v1.Conversations/ReplaceParticipants",
        InvalidArgument,
    ),
    user(
        "/postroom.v1.Conversations/LeaveConversation",
        InvalidArgument,
    ),
    user(
        "/postroom.v1.Conversations/UpdateConversationMetadata",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetMessages",
        "sys.read",
        InvalidArgument,
    ),
    sys("/postroom.sys.v1.Sys/GetMessagesPage", "sys.read", Fine),
    sys(
        "/postroom.sys.v1.Sys/GetMessagesPageOffset",
        "sys.read",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetMessagesForOwnerPage",
        "sys.read",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetMessagesForOwnerPageOffset",
        "sys.read",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetMessageCountsForOwner",
        "sys.read",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/SendMessage",
        "sys.send",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/SendMessageSimple",
        "sys.send",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/UpdateMessage",
        "sys.write",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/DeleteMessage",
        "sys.write",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/DeleteMessages",
        "sys.write",
        InvalidArgument,
    ),
    sys("/postroom.sys.v1.Sys/SendBulk", "sys.bulk", InvalidArgument),
    sys("/postroom.sys.v1.Sys/GetBulk", "sys.read", InvalidArgument),
    sys(
        "/postroom.sys.v1.Sys/SendToProfiles",
        "sys.send",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetSendJob",
        "sys.send",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/CancelSendJob",
        "sys.send",
        InvalidArgument,
    ),
    sys("/postroom.sys.v1.Sys/GetAppSettings", "sys.admin", Fine),
    sys(
        "/postroom.sys.v1.Sys/UpdateAppSettings",
        "sys.admin",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/RevokeTokens",
        "sys.admin",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/EraseProfile",
        "sys.admin",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/GetErasure",
        "sys.admin",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/EraseApp",
        "sys.admin",
        InvalidArgument,
    ),
    sys(
        "/postroom.sys.v1.Sys/ExportProfile",
        "sys.read",
        InvalidArgument,
    ),
    sys("/postroom.sys.v1.Sys/ListAudit", "sys.audit", Fine),
];
