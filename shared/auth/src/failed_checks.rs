//! Failed checks of tokens, by address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{FAILED_CHECKS_ADDRESSES_MAX, FAILED_CHECKS_MAX, FAILED_CHECKS_WINDOW};

/// Failed checks of tokens by address, in windows of [`FAILED_CHECKS_WINDOW`]. They bound the
/// signatures that strangers have verified.
#[derive(Debug, Default)]
pub(crate) struct FailedChecks(Mutex<ChecksWindow>);

#[derive(Debug, Default)]
struct ChecksWindow {
    start: Option<Instant>,
    by_address: HashMap<IpAddr, u32>,
}

impl FailedChecks {
    /// Returns the time until tokens from the address are checked again; none if they are now.
    pub fn pause(&self, address: IpAddr) -> Option<Duration> {
        let window = self.window();
        let failed = window.by_address.get(&address).copied().unwrap_or_default();
        let age = window.start?.elapsed();
        (failed >= FAILED_CHECKS_MAX).then(|| FAILED_CHECKS_WINDOW.saturating_sub(age))
    }

    /// Counts a failed check. Addresses beyond [`FAILED_CHECKS_ADDRESSES_MAX`] are not counted.
    pub fn count(&self, address: IpAddr) {
        let mut window = self.window();
        window.start.get_or_insert_with(Instant::now);
        let has_room = window.by_address.len() < FAILED_CHECKS_ADDRESSES_MAX;
        if has_room || window.by_address.contains_key(&address) {
            *window.by_address.entry(address).or_default() += 1;
        }
    }

    /// Returns the current window, a new one if the last has ended.
    fn window(&self) -> MutexGuard<'_, ChecksWindow> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = window.start.map(|start| start.elapsed());
        if age.is_some_and(|age| age >= FAILED_CHECKS_WINDOW) {
            *window = ChecksWindow::default();
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test(start_paused = true)]
    async fn an_address_with_many_failed_checks_pauses_to_the_end_of_the_window() {
        let checks = FailedChecks::default();
        for _ in 0..FAILED_CHECKS_MAX {
            assert_eq!(checks.pause(ONE), None);
            checks.count(ONE);
        }
        let second = Duration::from_secs(1);
        advance(second).await;
        let pause = checks.pause(ONE).map(|pause| pause + second);
        assert_eq!(pause, Some(FAILED_CHECKS_WINDOW));
        assert_eq!(checks.pause(OTHER), None);
        advance(FAILED_CHECKS_WINDOW).await;
        assert_eq!(checks.pause(ONE), None);
    }

    #[tokio::test]
    async fn the_number_of_counted_addresses_is_bounded() {
        let checks = FailedChecks::default();
        for address in 0..2 * FAILED_CHECKS_ADDRESSES_MAX {
            let address = u32::try_from(address).expect("few");
            checks.count(IpAddr::from(address.to_be_bytes()));
        }
        let counted = checks.window().by_address.len();
        assert_eq!(counted, FAILED_CHECKS_ADDRESSES_MAX);
    }
}
