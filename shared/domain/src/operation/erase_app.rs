//! The app erases itself.

use super::{Apply, Footprint, Weight};
use crate::erasure::AppErasure;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Schedules the erasure of the app, or withdraws it. A job deletes all of its rows then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EraseApp {
    /// True to withdraw a scheduled erasure.
    pub cancel: bool,
}

impl Apply for EraseApp {
    /// The scheduled erasure.
    type Outcome = AppErasure;

    fn footprint(&self) -> Footprint {
        Footprint::of_app()
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<AppErasure, Refusal> {
        Ok(ledger.schedule_app_erasure(self.cancel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::APP_ERASURE_DELAY_MS;
    use crate::testing::MemoryStore;
    use crate::time::Millis;

    #[test]
    fn an_erasure_of_the_app_is_scheduled_or_withdrawn() {
        let mut store = MemoryStore::default();
        for (cancel, at) in [
            (false, Some(Millis(10 + APP_ERASURE_DELAY_MS))),
            (true, None),
        ] {
            let scheduled = store.execute(10, EraseApp { cancel });
            assert_eq!(scheduled, Ok(AppErasure { at }));
        }
    }
}
