//! Receives the hints of the other stores: LISTEN.

use std::sync::Arc;

use storage::{Head, MailboxKey, Wake};

use super::SEPARATOR;
use crate::db::notification::NotificationHandler;

/// Passes the hints of other stores on to the listener of this process.
pub(super) struct Subscriber {
    /// The name of this store, whose own hints come back and are dropped.
    name: String,
    local: Arc<dyn Wake>,
}

impl Subscriber {
    pub const fn new(name: String, local: Arc<dyn Wake>) -> Self {
        Self { name, local }
    }
}

impl NotificationHandler for Subscriber {
    fn on_notification(&self, payload: &str) {
        let mut words = payload.split(SEPARATOR);
        if words.next() == Some(&self.name) {
            return;
        }
        let heads: Option<Vec<Head>> = words.map(parse_head).collect();
        match heads {
            Some(heads) => self.local.changed(&heads),
            // `ALL_MAILBOXES`, or the words of a newer version.
            None => self.local.lost(),
        }
    }

    fn on_gap(&self) {
        self.local.lost();
    }
}

fn parse_head(word: &str) -> Option<Head> {
    let mut numbers = word.split('.').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    let mailbox = MailboxKey {
        app_no: next()?,
        mailbox_id: next()?,
    };
    Some(Head {
        mailbox,
        seq: next()?,
    })
}
