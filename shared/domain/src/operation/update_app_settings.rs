//! The app replaces its settings.

use super::{Apply, Footprint, Weight};
use crate::ledger::Ledger;
use crate::policy::Settings;
use crate::refusal::Refusal;

/// Replaces all settings of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateAppSettings {
    /// The new settings; the version in them is ignored.
    pub settings: Settings,
    /// Version that the current settings must have; none: any.
    pub expected_version: Option<i64>,
}

impl Apply for UpdateAppSettings {
    /// The new settings with their version.
    type Outcome = Settings;

    fn footprint(&self) -> Footprint {
        Footprint::of_app()
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Settings, Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::MemoryStore;

    fn configure(allow_edit: Option<bool>, expected_version: Option<i64>) -> Action {
        let settings = Settings {
            version: 77,
            allow_edit,
            ..Settings::default()
        };
        Action::UpdateAppSettings(UpdateAppSettings {
            settings,
            expected_version,
        })
    }

    #[test]
    fn all_settings_are_replaced_and_the_version_is_the_next() {
        let mut store = MemoryStore::default();
        store.settings.allow_self_send = Some(false);
        let expected = Settings {
            version: 2,
            allow_edit: Some(false),
            ..Settings::default()
        };
        let verdict = store.execute(10, configure(Some(false), Some(1)));
        assert_eq!(verdict, Ok(Outcome::SettingsUpdated(expected.clone())));
        assert_eq!(store.settings, expected);
    }

    #[test]
    fn another_version_than_the_expected_one_is_told() {
        let mut store = MemoryStore::default();
        let refusal = Refusal::VersionMismatch {
            expected: 2,
            current: 1,
        };
        assert_eq!(store.execute(10, configure(None, Some(2))), Err(refusal));
        let verdict = store.execute(11, configure(None, None));
        assert!(matches!(verdict, Ok(Outcome::SettingsUpdated(_))));
    }
}
