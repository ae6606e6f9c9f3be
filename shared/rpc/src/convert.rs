//! Conversions between the wire and the domain: requests to domain types or a list of all
//! violations, and results of the store to responses.
//!
//! Parsers take the [`Violations`](domain::Violations) of their request; one that returns none
//! has added a violation. Field paths are those of the proto, with indexes.

pub mod content;
pub mod content_update;
pub mod conversation;
pub mod counts;
pub mod cursor;
pub mod draft;
pub mod entry;
pub mod enums;
pub mod expected_version;
pub mod feed;
pub mod id;
pub mod idempotency;
pub mod lookup;
pub mod message;
pub mod message_ids;
pub mod msgbox;
pub mod notification;
pub mod page;
pub mod size;
#[cfg(test)]
mod testing;
pub mod time;
pub mod token;
pub mod view;
