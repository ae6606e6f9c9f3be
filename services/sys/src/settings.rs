//! The settings of an app, as the proto has them.

use domain::{Policy, Settings, Violations};
use proto::sys::v1::AppSettings;
use rpc::convert::time;

/// What an app overrides, from the `settings` of a request; the version in it is ignored.
pub fn parse(given: Option<&AppSettings>, violations: &mut Violations) -> Option<Settings> {
    let Some(given) = given else {
        violations.invalid("settings", "must be given");
        return None;
    };
    let settings = Settings {
        allow_self_send: given.allow_self_send,
        allow_edit: given.allow_edit,
        allow_delete_for_everyone: given.allow_delete_for_everyone,
        recipients_may_delete_for_everyone: given.recipients_may_delete_for_everyone,
        max_recipients: given.max_recipients,
        max_content_bytes: given.max_content_bytes,
        default_expiry_ms: time::lifetime_ms(
            given.default_expiry,
            "settings.default_expiry",
            violations,
        ),
        ..Settings::default()
    };
    settings.check("settings", violations);
    Some(settings)
}

/// What an app overrides.
pub fn overrides(settings: &Settings) -> AppSettings {
    AppSettings {
        version: settings.version,
        allow_self_send: settings.allow_self_send,
        allow_edit: settings.allow_edit,
        allow_delete_for_everyone: settings.allow_delete_for_everyone,
        recipients_may_delete_for_everyone: settings.recipients_may_delete_for_everyone,
        max_recipients: settings.max_recipients,
        max_content_bytes: settings.max_content_bytes,
        default_expiry: settings.default_expiry_ms.map(time::duration),
    }
}

/// What is in force with that version of the settings.
pub fn effective(version: i64, policy: &Policy) -> AppSettings {
    AppSettings {
        version,
        allow_self_send: Some(policy.allow_self_send),
        allow_edit: Some(policy.allow_edit),
        allow_delete_for_everyone: Some(policy.allow_delete_for_everyone),
        recipients_may_delete_for_everyone: Some(policy.recipients_may_delete_for_everyone),
        max_recipients: Some(policy.max_recipients),
        max_content_bytes: Some(policy.max_content_bytes),
        default_expiry: Some(time::duration(policy.default_expiry_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_parsed_is_shown_as_it_was_given() {
        let given = AppSettings {
            version: 7,
            allow_edit: Some(false),
            max_recipients: Some(500),
            default_expiry: Some(time::duration(1_500)),
            ..AppSettings::default()
        };
        let mut violations = Violations::none();
        let parsed = parse(Some(&given), &mut violations).expect("settings");
        assert!(violations.is_empty());
        let shown = overrides(&parsed);
        assert_eq!(
            AppSettings {
                version: 7,
                ..shown
            },
            given
        );
        assert_eq!(parsed.version, Settings::default().version);
    }

    #[test]
    fn what_is_outside_the_caps_is_named() {
        let given = AppSettings {
            max_recipients: Some(501),
            max_content_bytes: Some(0),
            default_expiry: Some(time::duration(-1)),
            ..AppSettings::default()
        };
        let mut violations = Violations::none();
        parse(Some(&given), &mut violations);
        parse(None, &mut violations);
        let fields: Vec<&str> = violations
            .as_slice()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "settings.default_expiry",
                "settings.max_recipients",
                "settings.max_content_bytes",
                "settings"
            ]
        );
    }
}
