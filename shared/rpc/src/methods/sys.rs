//! Methods of `postroom.sys.v1.Sys`, each with the scope that it requires.

use auth::Scope;

use super::Effect::{Reads, Writes};
use super::{Access, Effect, Method, catalogue};
use crate::caller::System;

const fn system(path: &'static str, scope: Scope, effect: Effect) -> Method {
    Method::new(path, Access::System(scope), effect)
}

catalogue! { System:
    GET_MESSAGES = system("/postroom.sys.v1.Sys/GetMessages", Scope::Read, Reads).showing_contents();
    GET_MESSAGES_PAGE = system("/postroom.sys.v1.Sys/GetMessagesPage", Scope::Read, Reads).showing_contents();
    GET_MESSAGES_PAGE_OFFSET = system("/postroom.sys.v1.Sys/GetMessagesPageOffset", Scope::Read, Reads).showing_contents();
    GET_MESSAGES_FOR_OWNER_PAGE = system("/postroom.sys.v1.Sys/GetMessagesForOwnerPage", Scope::Read, Reads).showing_contents();
    GET_MESSAGES_FOR_OWNER_PAGE_OFFSET = system("/postroom.sys.v1.Sys/GetMessagesForOwnerPageOffset", Scope::Read, Reads).showing_contents();
    GET_MESSAGE_COUNTS_FOR_OWNER = system("/postroom.sys.v1.Sys/GetMessageCountsForOwner", Scope::Read, Reads);
    SEND_MESSAGE = system("/postroom.sys.v1.Sys/SendMessage", Scope::Send, Writes).sending();
    SEND_MESSAGE_SIMPLE = system("/postroom.sys.v1.Sys/SendMessageSimple", Scope::Send, Writes).sending();
    UPDATE_MESSAGE = system("/postroom.sys.v1.Sys/UpdateMessage", Scope::Write, Writes);
    DELETE_MESSAGE = system("/postroom.sys.v1.Sys/DeleteMessage", Scope::Write, Writes);
    DELETE_MESSAGES = system("/postroom.sys.v1.Sys/DeleteMessages", Scope::Write, Writes);
    SEND_BULK = system("/postroom.sys.v1.Sys/SendBulk", Scope::Bulk, Writes).sending();
    GET_BULK = system("/postroom.sys.v1.Sys/GetBulk", Scope::Read, Reads).showing_contents();
    SEND_TO_PROFILES = system("/postroom.sys.v1.Sys/SendToProfiles", Scope::Send, Writes).taking_stream().sending();
    GET_SEND_JOB = system("/postroom.sys.v1.Sys/GetSendJob", Scope::Send, Reads);
    CANCEL_SEND_JOB = system("/postroom.sys.v1.Sys/CancelSendJob", Scope::Send, Writes);
    GET_APP_SETTINGS = system("/postroom.sys.v1.Sys/GetAppSettings", Scope::Admin, Reads);
    UPDATE_APP_SETTINGS = system("/postroom.sys.v1.Sys/UpdateAppSettings", Scope::Admin, Writes);
    REVOKE_TOKENS = system("/postroom.sys.v1.Sys/RevokeTokens", Scope::Admin, Writes);
    ERASE_PROFILE = system("/postroom.sys.v1.Sys/EraseProfile", Scope::Admin, Writes);
    GET_ERASURE = system("/postroom.sys.v1.Sys/GetErasure", Scope::Admin, Reads);
    ERASE_APP = system("/postroom.sys.v1.Sys/EraseApp", Scope::Admin, Writes);
    EXPORT_PROFILE = system("/postroom.sys.v1.Sys/ExportProfile", Scope::Read, Reads).showing_contents();
    LIST_AUDIT = system("/postroom.sys.v1.Sys/ListAudit", Scope::Audit, Reads);
}
