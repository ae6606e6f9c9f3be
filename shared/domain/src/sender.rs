//! Sender of a message, as its readers see it.

use crate::id::ProfileId;
use crate::limits::{SENDER_NAME_BYTES_MAX, SENDER_PIC_BYTES_MAX};

/// The sender of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// The sending user; none for what the app itself sends.
    pub profile_id: Option<ProfileId>,
    /// A name to show.
    pub name: String,
    /// URL of a picture; empty if there is none.
    pub pic: String,
}

/// Returns true if a text is a valid sender name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= SENDER_NAME_BYTES_MAX && !text.contains('\0')
}

/// Returns true if a text is a valid sender picture.
#[must_use]
pub fn is_pic(text: &str) -> bool {
    text.len() <= SENDER_PIC_BYTES_MAX && !text.contains('\0')
}
