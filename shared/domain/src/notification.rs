//! Notification that a recipient's device shows. Stored with the message.

use std::collections::BTreeMap;

use crate::limits::{
    NOTIFICATION_DATA_BYTES_MAX, NOTIFICATION_SOUND_BYTES_MAX, NOTIFICATION_TEXT_BYTES_MAX,
    NOTIFICATION_TITLE_BYTES_MAX,
};
use crate::violation::Violations;

/// Collects what is wrong with a notification; `field` is its path in the request.
pub fn check(
    title: &str,
    text: &str,
    sound: &str,
    data: &BTreeMap<String, String>,
    field: &str,
    violations: &mut Violations,
) {
    let data_bytes = data
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    for (name, length, max) in [
        ("title", title.len(), NOTIFICATION_TITLE_BYTES_MAX),
        ("text", text.len(), NOTIFICATION_TEXT_BYTES_MAX),
        ("sound", sound.len(), NOTIFICATION_SOUND_BYTES_MAX),
        ("data", data_bytes, NOTIFICATION_DATA_BYTES_MAX),
    ] {
        if length > max {
            violations.invalid(
                format!("{field}.{name}"),
                format!("must have at most {max} bytes"),
            );
        }
    }
}
