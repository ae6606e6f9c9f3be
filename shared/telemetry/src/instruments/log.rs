//! The log.

use tracing_appender::non_blocking::ErrorCounter;

/// Registers the counter of lines that the log has dropped.
pub(crate) fn observe_dropped_lines(dropped: ErrorCounter) {
    super::meter()
        .u64_observable_counter("postroom.log.dropped_lines")
        .with_unit("{line}")
        .with_description("Log lines dropped because their reader was too slow")
        .with_callback(move |counter| counter.observe(dropped.dropped_lines() as u64, &[]))
        .build();
}
