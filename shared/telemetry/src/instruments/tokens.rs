//! Tokens of callers.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

/// Tokens that were refused. Clones share the series.
#[derive(Debug, Clone)]
pub struct TokenMetrics {
    refused: Counter<u64>,
}

impl TokenMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        Self {
            refused: super::counter(
                meter,
                "postroom.token.refused",
                "{call}",
                "Calls whose token was refused, or that had none, by reason",
            ),
        }
    }

    /// Counts a call whose token was refused for a reason from a closed list; `None` counts none.
    pub fn refused(&self, reason: Option<&'static str>) {
        if let Some(reason) = reason {
            let reason = KeyValue::new("postroom.token.refusal.reason", reason);
            self.refused.add(1, &[reason]);
        }
    }
}

impl Default for TokenMetrics {
    fn default() -> Self {
        Self::new()
    }
}
