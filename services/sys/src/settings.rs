//! Settings of an app in requests and responses.

use domain::{Policy, QuotaOverrides, RateOverride, Settings, Violations};
use proto::sys::v1::AppSettings;
use rpc::convert::time;

/// Parses the `settings` of a request, the overrides of an app; the version is ignored.
pub fn parse(given: Option<&AppSettings>, violations: &mut Violations) -> Option<Settings> {
    let Some(given) = given else {
        violations.invalid("settings", "must be given");
        return None;
    };
    let settings = Settings {
        allow_self_send: given.allow_self_send,
        allow_unknown_recipients: given.allow_unknown_recipients,
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
        max_expiry_ms: time::lifetime_ms(given.max_expiry, "settings.max_expiry", violations),
        keep_for_moderation_ms: time::duration_ms(
            given.keep_for_moderation,
            "settings.keep_for_moderation",
            violations,
        ),
        app_reserve_percent: given.app_reserve_percent,
        max_unread_per_sender: given.max_unread_per_sender,
        max_participants: given.max_participants,
        quotas: quotas(given),
        ..Settings::default()
    };
    settings.check("settings", violations);
    Some(settings)
}

fn quotas(given: &AppSettings) -> QuotaOverrides {
    let rate = |per_second, burst| RateOverride { per_second, burst };
    QuotaOverrides {
        profile_calls: rate(given.profile_calls_per_second, given.profile_calls_burst),
        profile_sends: rate(given.profile_sends_per_second, given.profile_sends_burst),
        app_sends: rate(given.app_sends_per_second, given.app_sends_burst),
        app_calls: rate(given.app_calls_per_second, given.app_calls_burst),
        profile_kept_mib: given.profile_kept_mib,
        profile_unused_mailboxes: given.profile_unused_mailboxes,
        app_kept_mib: given.app_kept_mib,
        app_mailboxes: given.app_mailboxes,
    }
}

/// Returns the overrides of an app.
pub fn overrides(settings: &Settings) -> AppSettings {
    let quotas = &settings.quotas;
    AppSettings {
        version: settings.version,
        allow_self_send: settings.allow_self_send,
        allow_unknown_recipients: settings.allow_unknown_recipients,
        allow_edit: settings.allow_edit,
        allow_delete_for_everyone: settings.allow_delete_for_everyone,
        recipients_may_delete_for_everyone: settings.recipients_may_delete_for_everyone,
        max_recipients: settings.max_recipients,
        max_content_bytes: settings.max_content_bytes,
        default_expiry: settings.default_expiry_ms.map(time::duration),
        max_expiry: settings.max_expiry_ms.map(time::duration),
        keep_for_moderation: settings.keep_for_moderation_ms.map(time::duration),
        app_reserve_percent: settings.app_reserve_percent,
        max_unread_per_sender: settings.max_unread_per_sender,
        max_participants: settings.max_participants,
        profile_calls_per_second: quotas.profile_calls.per_second,
        profile_calls_burst: quotas.profile_calls.burst,
        profile_sends_per_second: quotas.profile_sends.per_second,
        profile_sends_burst: quotas.profile_sends.burst,
        app_sends_per_second: quotas.app_sends.per_second,
        app_sends_burst: quotas.app_sends.burst,
        app_calls_per_second: quotas.app_calls.per_second,
        app_calls_burst: quotas.app_calls.burst,
        profile_kept_mib: quotas.profile_kept_mib,
        profile_unused_mailboxes: quotas.profile_unused_mailboxes,
        app_kept_mib: quotas.app_kept_mib,
        app_mailboxes: quotas.app_mailboxes,
    }
}

/// Returns the settings in force.
pub fn effective(version: i64, policy: &Policy) -> AppSettings {
    let quotas = &policy.quotas;
    AppSettings {
        version,
        allow_self_send: Some(policy.allow_self_send),
        allow_unknown_recipients: Some(policy.allow_unknown_recipients),
        allow_edit: Some(policy.allow_edit),
        allow_delete_for_everyone: Some(policy.allow_delete_for_everyone),
        recipients_may_delete_for_everyone: Some(policy.recipients_may_delete_for_everyone),
        max_recipients: Some(policy.max_recipients),
        max_content_bytes: Some(policy.max_content_bytes),
        default_expiry: Some(time::duration(policy.default_expiry_ms)),
        max_expiry: Some(time::duration(policy.max_expiry_ms)),
        keep_for_moderation: Some(time::duration(policy.keep_for_moderation_ms)),
        app_reserve_percent: Some(policy.app_reserve_percent),
        max_unread_per_sender: Some(policy.max_unread_per_sender),
        max_participants: Some(policy.max_participants),
        profile_calls_per_second: Some(quotas.profile_calls.per_second),
        profile_calls_burst: Some(quotas.profile_calls.burst),
        profile_sends_per_second: Some(quotas.profile_sends.per_second),
        profile_sends_burst: Some(quotas.profile_sends.burst),
        app_sends_per_second: Some(quotas.app_sends.per_second),
        app_sends_burst: Some(quotas.app_sends.burst),
        app_calls_per_second: Some(quotas.app_calls.per_second),
        app_calls_burst: Some(quotas.app_calls.burst),
        profile_kept_mib: Some(quotas.profile_kept_mib),
        profile_unused_mailboxes: Some(quotas.profile_unused_mailboxes),
        app_kept_mib: Some(quotas.app_kept_mib),
        app_mailboxes: Some(quotas.app_mailboxes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_settings_are_shown_as_given() {
        let given = AppSettings {
            version: 7,
            allow_unknown_recipients: Some(true),
            allow_edit: Some(false),
            max_recipients: Some(500),
            default_expiry: Some(time::duration(1_500)),
            max_expiry: Some(time::duration(2_500)),
            keep_for_moderation: Some(time::duration(3_500)),
            app_reserve_percent: Some(0),
            max_unread_per_sender: Some(7),
            max_participants: Some(8),
            profile_calls_per_second: Some(1),
            profile_calls_burst: Some(2),
            profile_sends_per_second: Some(3),
            profile_sends_burst: Some(4),
            app_sends_per_second: Some(0),
            app_sends_burst: Some(6),
            app_calls_per_second: Some(8),
            app_calls_burst: Some(9),
            profile_kept_mib: Some(10),
            profile_unused_mailboxes: Some(11),
            app_kept_mib: Some(12),
            app_mailboxes: Some(13),
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
    fn settings_beyond_their_limits_are_violations() {
        let given = AppSettings {
            max_recipients: Some(501),
            max_content_bytes: Some(0),
            default_expiry: Some(time::duration(-1)),
            max_expiry: Some(time::duration(0)),
            keep_for_moderation: Some(time::duration(-1)),
            app_reserve_percent: Some(91),
            max_unread_per_sender: Some(10_001),
            max_participants: Some(1),
            profile_sends_burst: Some(0),
            profile_kept_mib: Some(1_000_001),
            profile_unused_mailboxes: Some(10_001),
            app_kept_mib: Some(1_000_000_001),
            app_mailboxes: Some(1_000_000_001),
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
                "settings.max_expiry",
                "settings.max_recipients",
                "settings.max_content_bytes",
                "settings.keep_for_moderation",
                "settings.app_reserve_percent",
                "settings.max_unread_per_sender",
                "settings.max_participants",
                "settings.profile_sends_burst",
                "settings.profile_kept_mib",
                "settings.profile_unused_mailboxes",
                "settings.app_kept_mib",
                "settings.app_mailboxes",
                "settings"
            ]
        );
    }
}
