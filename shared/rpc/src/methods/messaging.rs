//! The methods of `postroom.v1.Messaging`.

use super::{Access, Method};

const fn unary(name: &'static str) -> Method {
    Method::unary(name, Access::User)
}

const fn stream(name: &'static str) -> Method {
    Method::stream(name, Access::User)
}

pub(super) const ROWS: [Method; 14] = [
    unary("postroom.v1.Messaging/GetMessageBoxes"),
    unary("postroom.v1.Messaging/GetMessageCounts"),
    unary("postroom.v1.Messaging/GetMessages"),
    unary("postroom.v1.Messaging/GetMessagesPage"),
    unary("postroom.v1.Messaging/GetMessagesPageOffset"),
    unary("postroom.v1.Messaging/SendMessage").sending(),
    unary("postroom.v1.Messaging/SendMessageSimple").sending(),
    unary("postroom.v1.Messaging/MarkMessagesRead"),
    unary("postroom.v1.Messaging/MarkMessagesDelivered"),
    unary("postroom.v1.Messaging/DeleteMessages"),
    unary("postroom.v1.Messaging/ClearMessages"),
    unary("postroom.v1.Messaging/EditMessage"),
    unary("postroom.v1.Messaging/GetChanges"),
    stream("postroom.v1.Messaging/Subscribe"),
];
