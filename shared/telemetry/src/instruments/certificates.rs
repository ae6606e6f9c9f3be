//! Certificates of the listeners.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;

/// Registers a gauge of the time until a listener's certificate expires. `expires_s` is read at
/// each scrape: the end of its validity, in seconds since 1970.
pub fn observe_certificate(
    listener: &'static str,
    expires_s: impl Fn() -> i64 + Send + Sync + 'static,
) {
    let listener = [KeyValue::new("postroom.listener.name", listener)];
    super::meter()
        .f64_observable_gauge("postroom.tls.certificate.remaining")
        .with_unit("s")
        .with_description("Time until the certificate expires, negative afterwards")
        .with_callback(move |gauge| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now_s = now.unwrap_or_default().as_secs_f64();
            gauge.observe(seconds(expires_s()) - now_s, &listener);
        })
        .build();
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a time of this century is exact"
)]
const fn seconds(whole: i64) -> f64 {
    whole as f64
}
