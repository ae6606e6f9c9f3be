//! Issuers of tokens.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Meter};

/// Keys of an issuer.
#[derive(Debug, Clone)]
pub struct IssuerKeyMetrics {
    usable: Gauge<f64>,
    failures: Counter<u64>,
    issuer: KeyValue,
}

impl IssuerKeyMetrics {
    /// Instruments of the process for an issuer of the configuration.
    #[must_use]
    pub fn of_issuer(iss: &str) -> Self {
        Self::of(&super::meter(), iss)
    }

    pub(super) fn of(meter: &Meter, iss: &str) -> Self {
        Self {
            usable: super::gauge(
                meter,
                "postroom.issuer.keys",
                "{key}",
                "Usable keys of the issuer",
            ),
            failures: super::counter(
                meter,
                "postroom.issuer.key_load_failures",
                "{load}",
                "Loads of the issuer's keys that failed",
            ),
            issuer: KeyValue::new("postroom.issuer.name", iss.to_owned()),
        }
    }

    /// Records a load of the keys, after which so many are usable.
    pub fn loaded(&self, usable: usize, has_failed: bool) {
        let issuer = std::slice::from_ref(&self.issuer);
        let usable = u32::try_from(usable).unwrap_or(u32::MAX);
        self.usable.record(usable.into(), issuer);
        self.failures.add(u64::from(has_failed), issuer);
    }
}
