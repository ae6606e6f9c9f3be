//! Bars for work that takes a while.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar shows that the work goes on.
const TICK: Duration = Duration::from_millis(200);

/// A bar on standard error; where that is no terminal, nothing is shown.
///
/// The template is one of `indicatif`.
pub fn progress(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.enable_steady_tick(TICK);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        // Work is not given up for how it looks.
        Err(_) => bar,
    }
}
