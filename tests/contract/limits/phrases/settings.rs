//! Limits of settings, and their defaults.

use ::domain::limits as domain;
use ::rpc::limits as rpc;

use super::super::units::{default_of, number, size, time, up_to};
use super::Phrases;

pub fn kept_limits() -> Phrases {
    vec![
        (
            "AppSettings.profile_kept_mib",
            format!("0 to {}", number(domain::PROFILE_KEPT_MIB_MAX)),
        ),
        (
            "AppSettings.profile_kept_mib",
            default_of(domain::PROFILE_KEPT_MIB_DEFAULT),
        ),
        (
            "AppSettings.profile_unused_mailboxes",
            format!("0 to {}", number(domain::PROFILE_UNUSED_MAILBOXES_MAX)),
        ),
        (
            "AppSettings.profile_unused_mailboxes",
            default_of(domain::PROFILE_UNUSED_MAILBOXES_DEFAULT),
        ),
        (
            "AppSettings.app_kept_mib",
            format!("0 to {}", number(domain::APP_KEPT_MIB_MAX)),
        ),
        (
            "AppSettings.app_kept_mib",
            default_of(domain::APP_KEPT_MIB_DEFAULT),
        ),
        (
            "AppSettings.app_mailboxes",
            format!("0 to {}", number(domain::APP_MAILBOXES_MAX)),
        ),
        (
            "AppSettings.app_mailboxes",
            default_of(domain::APP_MAILBOXES_DEFAULT),
        ),
        (
            "ERROR_REASON_KEPT_QUOTA_EXCEEDED",
            format!("({} MiB", domain::PROFILE_KEPT_MIB_DEFAULT),
        ),
        (
            "ERROR_REASON_KEPT_QUOTA_EXCEEDED",
            format!(
                "{} mailboxes",
                number(domain::PROFILE_UNUSED_MAILBOXES_DEFAULT)
            ),
        ),
    ]
}

pub fn limits_of_settings() -> Phrases {
    let cap = domain::CONTENT_BYTES_CAP;
    let by_default = domain::CONTENT_BYTES_DEFAULT;
    let rate = format!("0 to {}", number(domain::QUOTA_PER_SECOND_MAX));
    let burst = up_to(domain::QUOTA_BURST_MAX);
    let days = |ms: i64| ms / domain::DAY_MS;
    let years = format!("at most {} years", days(domain::EXPIRY_MAX_MS) / 365);
    let quotas = [
        (
            "AppSettings.profile_calls_per_second",
            "AppSettings.profile_calls_burst",
            domain::PROFILE_CALLS_DEFAULT,
        ),
        (
            "AppSettings.profile_sends_per_second",
            "AppSettings.profile_sends_burst",
            domain::PROFILE_SENDS_DEFAULT,
        ),
        (
            "AppSettings.app_sends_per_second",
            "AppSettings.app_sends_burst",
            domain::APP_SENDS_DEFAULT,
        ),
        (
            "AppSettings.app_calls_per_second",
            "AppSettings.app_calls_burst",
            domain::APP_CALLS_DEFAULT,
        ),
    ];
    let of_quotas = quotas.into_iter().flat_map(|(per_second, at_once, quota)| {
        [
            (per_second, rate.clone()),
            (per_second, default_of(quota.per_second)),
            (at_once, burst.clone()),
            (at_once, default_of(quota.burst)),
        ]
    });
    let mut phrases: Phrases = of_quotas.collect();
    phrases.extend([
        (
            "AppSettings.max_recipients",
            format!(
                "{}. {} by default",
                up_to(domain::RECIPIENTS_CAP),
                domain::RECIPIENTS_DEFAULT
            ),
        ),
        (
            "AppSettings.max_content_bytes",
            format!("{} ({})", up_to(cap), size(cap)),
        ),
        (
            "AppSettings.max_content_bytes",
            format!("{} ({}) by default", number(by_default), size(by_default)),
        ),
        ("AppSettings.default_expiry", years.clone()),
        (
            "AppSettings.default_expiry",
            format!("{} days by default", days(domain::EXPIRY_DEFAULT_MS)),
        ),
        ("AppSettings.max_expiry", years),
        (
            "AppSettings.max_expiry",
            format!("{} days by default", days(domain::USER_EXPIRY_DEFAULT_MS)),
        ),
        (
            "AppSettings.keep_for_moderation",
            format!("0 to {} days", days(domain::KEEP_FOR_MODERATION_MAX_MS)),
        ),
        (
            "AppSettings.app_reserve_percent",
            format!("0 to {}", domain::APP_RESERVE_PERCENT_MAX),
        ),
        (
            "AppSettings.app_reserve_percent",
            default_of(domain::APP_RESERVE_PERCENT_DEFAULT),
        ),
        (
            "AppSettings.max_unread_per_sender",
            format!("0 to {}", number(domain::UNREAD_PER_SENDER_MAX)),
        ),
        (
            "AppSettings.max_unread_per_sender",
            default_of(domain::UNREAD_PER_SENDER_DEFAULT),
        ),
        (
            "AppSettings.max_participants",
            format!("2 to {}", domain::PARTICIPANTS_CAP),
        ),
        (
            "AppSettings.max_participants",
            default_of(domain::PARTICIPANTS_DEFAULT),
        ),
        (
            "Sys.UpdateAppSettings",
            format!("every {}", time(rpc::QUOTAS_REREAD)),
        ),
    ]);
    phrases
}
