//! Receives the hints of the other stores: LISTEN.

use std::sync::Arc;

use storage::{ChangeListener, MailboxHead, MailboxKey};
use telemetry::BroadcastMetrics;

use super::SEPARATOR;
use crate::db::notification::NotificationHandler;

/// Passes the hints of other stores on to the listener of this process.
pub(super) struct Subscriber {
    /// The name of this store, whose own hints come back and are dropped.
    name: String,
    local: Arc<dyn ChangeListener>,
    metrics: BroadcastMetrics,
}

impl Subscriber {
    pub const fn new(
        name: String,
        local: Arc<dyn ChangeListener>,
        metrics: BroadcastMetrics,
    ) -> Self {
        Self {
            name,
            local,
            metrics,
        }
    }
}

impl NotificationHandler for Subscriber {
    fn on_notification(&self, payload: &str) {
        let mut words = payload.split(SEPARATOR);
        if words.next() == Some(&self.name) {
            return;
        }
        self.metrics.received();
        let heads: Option<Vec<MailboxHead>> = words.map(parse_head).collect();
        match heads {
            Some(heads) => self.local.on_changed(&heads),
            // `ALL_MAILBOXES`, or the words of a newer version.
            None => self.local.on_hints_lost(),
        }
    }

    fn on_gap(&self) {
        self.metrics.connected();
        self.local.on_hints_lost();
    }

    fn on_disconnect(&self) {
        self.metrics.disconnected();
    }
}

fn parse_head(word: &str) -> Option<MailboxHead> {
    let mut numbers = word.split('.').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    let mailbox = MailboxKey {
        app_no: next()?,
        mailbox_id: next()?,
    };
    Some(MailboxHead {
        mailbox,
        seq: next()?,
    })
}
