//! Between the wire and the domain: requests become domain types, or a list of everything
//! that is wrong with them; what the store answered becomes answers.
//!
//! Parsers take the [`Violations`](domain::Violations) of their request and add to them; who
//! parses to none has said what is wrong. Field paths are the proto's, with indexes.

pub mod content;
pub mod content_update;
pub mod counts;
pub mod cursor;
pub mod draft;
pub mod entry;
pub mod enums;
pub mod expected_version;
pub mod feed;
pub mod id;
pub mod idempotency;
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
