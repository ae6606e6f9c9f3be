//! Settling: due changes that mailboxes take.

use opentelemetry::metrics::{Counter, Meter};

/// Mailboxes that were settled. Clones share the series.
#[derive(Debug, Clone)]
pub struct SettleMetrics {
    mailboxes: Counter<u64>,
}

impl SettleMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            mailboxes: super::counter(
                meter,
                "postroom.settle.mailboxes",
                "{mailbox}",
                "Mailboxes that took what was due to them: expiries and messages to everyone",
            ),
        };
        metrics.settled(0);
        metrics
    }

    /// Counts mailboxes that were settled in a committed batch.
    pub fn settled(&self, mailboxes: usize) {
        self.mailboxes.add(mailboxes as u64, &[]);
    }
}

impl Default for SettleMetrics {
    fn default() -> Self {
        Self::new()
    }
}
