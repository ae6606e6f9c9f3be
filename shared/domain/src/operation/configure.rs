//! The app changes its settings.

use super::Footprint;
use crate::ledger::Ledger;
use crate::policy::Settings;
use crate::refusal::Refusal;

/// Replaces what the app overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configure {
    /// What it overrides now; the version in it is not looked at.
    pub settings: Settings,
    /// The version that the caller knows; none: whatever is the latest.
    pub expected_version: Option<i64>,
}

impl Configure {
    pub(super) fn footprint() -> Footprint {
        Footprint {
            settings: true,
            ..Footprint::default()
        }
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<Settings, Refusal> {
        let current = ledger.settings().version;
        match self.expected_version {
            Some(expected) if expected != current => {
                return Err(Refusal::VersionMismatch { expected, current });
            }
            _ => {}
        }
        let settings = Settings {
            version: current + 1,
            ..self.settings.clone()
        };
        ledger.set_settings(settings.clone());
        Ok(settings)
    }
}
