//! Entries in responses.

use proto::v1;
use storage::{Error, Item};

use super::message;
use super::time::timestamp;
use super::view::View;

/// Returns an entry with its message.
///
/// # Errors
/// [`Error::Corrupt`] if the message's content cannot be decoded.
pub fn show(item: &Item, view: View) -> Result<v1::MsgboxEntry, Error> {
    let entry = &item.entry;
    Ok(v1::MsgboxEntry {
        msgbox: entry.msgbox.name().to_owned(),
        message_id: entry.message_id.to_string(),
        create_time: Some(timestamp(entry.create_ms)),
        update_time: Some(timestamp(entry.update_ms)),
        version: entry.version,
        read: entry.read_ms.is_some(),
        read_time: entry.read_ms.map(timestamp),
        delivered_time: entry.delivered_ms.map(timestamp),
        message: Some(message::show(&item.message, view)?),
    })
}

#[cfg(test)]
mod tests {
    use domain::Millis;

    use super::*;
    use crate::convert::testing;

    #[test]
    fn an_entry_with_a_read_time_is_read() {
        let mut item = testing::item("hi");
        let shown = show(&item, View::Full).expect("an entry");
        assert!(!shown.read && shown.read_time.is_none());
        item.entry.read_ms = Some(Millis(1_700_000_001_000));
        let shown = show(&item, View::Full).expect("an entry");
        assert!(shown.read);
        assert_eq!(shown.read_time.map(|at| at.seconds), Some(1_700_000_001));
    }
}
