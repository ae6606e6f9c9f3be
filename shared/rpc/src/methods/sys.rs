//! The methods of `postroom.sys.v1.Sys`, each with the scope that it needs.

use auth::Scope;

use super::{Access, Method};

const fn unary(name: &'static str, scope: Scope) -> Method {
    Method::unary(name, Access::System(scope))
}

pub(super) const ROWS: [Method; 18] = [
    unary("postroom.sys.v1.Sys/GetMessages", Scope::Read),
    unary("postroom.sys.v1.Sys/GetMessagesPage", Scope::Read),
    unary("postroom.sys.v1.Sys/GetMessagesPageOffset", Scope::Read),
    unary("postroom.sys.v1.Sys/GetMessagesForOwnerPage", Scope::Read),
    unary(
        "postroom.sys.v1.Sys/GetMessagesForOwnerPageOffset",
        Scope::Read,
    ),
    unary("postroom.sys.v1.Sys/GetMessageCountsForOwner", Scope::Read),
    unary("postroom.sys.v1.Sys/SendMessage", Scope::Send).sending(),
    unary("postroom.sys.v1.Sys/SendMessageSimple", Scope::Send).sending(),
    unary("postroom.sys.v1.Sys/UpdateMessage", Scope::Write),
    unary("postroom.sys.v1.Sys/DeleteMessage", Scope::Write),
    unary("postroom.sys.v1.Sys/DeleteMessages", Scope::Write),
    unary("postroom.sys.v1.Sys/SendBulk", Scope::Bulk).sending(),
    unary("postroom.sys.v1.Sys/GetBulk", Scope::Read),
    unary("postroom.sys.v1.Sys/SendToProfiles", Scope::Send)
        .taking_stream()
        .sending(),
    unary("postroom.sys.v1.Sys/GetSendJob", Scope::Send),
    unary("postroom.sys.v1.Sys/CancelSendJob", Scope::Send),
    unary("postroom.sys.v1.Sys/GetAppSettings", Scope::Admin),
    unary("postroom.sys.v1.Sys/UpdateAppSettings", Scope::Admin),
];
