//! The service manager, which is told when the service is ready, that it is alive, and when it stops.
//! Without systemd nothing happens.

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

/// Reports that the service is ready, and from now on that it is alive, if the manager asks for that.
pub fn report_ready() {
    report(NotifyState::Ready);
    let Some(timeout) = sd_notify::watchdog_enabled().filter(|timeout| !timeout.is_zero()) else {
        return;
    };
    tokio::spawn(async move {
        let mut beats = interval(timeout / 3);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            report(NotifyState::Watchdog);
        }
    });
}

/// Reports that the service stops.
pub fn report_stopping() {
    report(NotifyState::Stopping);
}

fn report(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "service_manager.not_notified");
    }
}
