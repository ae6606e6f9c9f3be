use prost_types::Duration;
use proto::sys::v1::{AppSettings, GetAppSettingsRequest, GetAppSettingsResponse};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{configure, ok};

/// Without quotas and limits of one sender, as the tests' services have it.
pub fn defaults() -> AppSettings {
    AppSettings {
        version: 1,
        allow_self_send: Some(true),
        allow_unknown_recipients: Some(true),
        allow_edit: Some(true),
        allow_delete_for_everyone: Some(true),
        recipients_may_delete_for_everyone: Some(false),
        max_recipients: Some(100),
        max_content_bytes: Some(32 * 1024),
        default_expiry: Some(Duration {
            seconds: 30 * 24 * 60 * 60,
            nanos: 0,
        }),
        max_expiry: Some(Duration {
            seconds: 30 * 24 * 60 * 60,
            nanos: 0,
        }),
        keep_for_moderation: Some(Duration {
            seconds: 0,
            nanos: 0,
        }),
        app_reserve_percent: Some(0),
        max_unread_per_sender: Some(0),
        max_participants: Some(25),
        profile_calls_per_second: Some(0),
        profile_calls_burst: Some(1),
        profile_sends_per_second: Some(0),
        profile_sends_burst: Some(1),
        app_sends_per_second: Some(0),
        app_sends_burst: Some(1),
        app_calls_per_second: Some(0),
        app_calls_burst: Some(1),
        profile_kept_mib: Some(0),
        profile_unused_mailboxes: Some(0),
        app_kept_mib: Some(0),
        app_mailboxes: Some(0),
    }
}

pub async fn settings(test: &TestService) -> GetAppSettingsResponse {
    ok(test.sys().get_app_settings(GetAppSettingsRequest {})).await
}

async fn an_app_that_changed_nothing_has_the_defaults(test: &TestService) {
    let found = settings(test).await;
    let none = AppSettings {
        version: 1,
        ..Default::default()
    };
    assert_eq!(
        (found.settings, found.effective),
        (Some(none), Some(defaults()))
    );
}

async fn overrides_are_shown_as_given_and_in_force(test: &TestService) {
    let given = AppSettings {
        allow_edit: Some(false),
        max_recipients: Some(7),
        ..Default::default()
    };
    configure(test, given).await;
    let found = settings(test).await;
    let shown = AppSettings {
        version: 2,
        ..given
    };
    assert_eq!(found.settings, Some(shown));
    let effective = AppSettings {
        version: 2,
        allow_edit: Some(false),
        max_recipients: Some(7),
        ..defaults()
    };
    assert_eq!(found.effective, Some(effective));
}

on_each_database![
    an_app_that_changed_nothing_has_the_defaults,
    overrides_are_shown_as_given_and_in_force,
];
