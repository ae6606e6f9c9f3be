//! Progress bars.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Redraw interval of a bar.
const TICK: Duration = Duration::from_millis(200);

/// Creates a bar on stderr, with a template of `indicatif`. Nothing is shown if stderr is not a
/// terminal.
pub fn progress(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.enable_steady_tick(TICK);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        // An invalid template is no reason to fail.
        Err(_) => bar,
    }
}
