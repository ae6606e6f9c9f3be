use prost_types::Duration;
use proto::sys::v1::{AppSettings, UpdateAppSettingsRequest};
use support::on_each_database;
use support::service::TestService;

use super::get_app_settings::{defaults, settings};
use crate::api::builders::{configure, fields, message, ok, reason, reason_of, text, with};

const TEN_YEARS_S: i64 = 3_653 * 24 * 60 * 60;
const YEAR_S: i64 = 365 * 24 * 60 * 60;

fn lasting(seconds: i64, nanos: i32) -> Duration {
    Duration { seconds, nanos }
}

fn updating(settings: AppSettings, expected_version: Option<i64>) -> UpdateAppSettingsRequest {
    UpdateAppSettingsRequest {
        settings: Some(settings),
        expected_version,
        ..Default::default()
    }
}

fn all(version: i64) -> AppSettings {
    AppSettings {
        version,
        allow_self_send: Some(false),
        allow_unknown_recipients: Some(false),
        allow_edit: Some(false),
        allow_delete_for_everyone: Some(false),
        recipients_may_delete_for_everyone: Some(true),
        max_recipients: Some(500),
        max_content_bytes: Some(65_536),
        default_expiry: Some(Duration {
            seconds: 1,
            nanos: 500_000_000,
        }),
        max_expiry: Some(lasting(2, 0)),
        keep_for_moderation: Some(lasting(3, 0)),
        app_reserve_percent: Some(20),
        max_unread_per_sender: Some(30),
        max_participants: Some(40),
        profile_calls_per_second: Some(9_001),
        profile_calls_burst: Some(9_002),
        profile_sends_per_second: Some(9_003),
        profile_sends_burst: Some(9_004),
        app_sends_per_second: Some(9_005),
        app_sends_burst: Some(9_006),
        app_calls_per_second: Some(9_007),
        app_calls_burst: Some(9_008),
        profile_kept_mib: Some(9_009),
        profile_unused_mailboxes: Some(9_010),
        app_kept_mib: Some(9_011),
        app_mailboxes: Some(9_012),
    }
}

async fn an_update_replaces_all_overrides(test: &TestService) {
    let mut app = test.sys();
    let updated = ok(app.update_app_settings(updating(all(99), None))).await;
    assert_eq!(
        (updated.settings, updated.effective),
        (Some(all(2)), Some(all(2)))
    );
    let found = settings(test).await;
    assert_eq!(
        (found.settings, found.effective),
        (Some(all(2)), Some(all(2)))
    );

    let one = AppSettings {
        max_recipients: Some(1),
        ..Default::default()
    };
    let updated = ok(app.update_app_settings(updating(one, None))).await;
    let version = 3;
    assert_eq!(updated.settings, Some(AppSettings { version, ..one }));
    let effective = AppSettings {
        version,
        max_recipients: Some(1),
        ..defaults()
    };
    assert_eq!(updated.effective, Some(effective));
}

async fn an_update_may_expect_a_version(test: &TestService) {
    let mut app = test.sys();
    let stale = Err("MESSAGE_VERSION_MISMATCH".to_owned());
    let invalid = Err("INVALID_REQUEST".to_owned());
    for (expected, told) in [
        (Some(2), stale.clone()),
        (Some(1), Ok(2)),
        (Some(1), stale),
        (Some(-1), Ok(3)),
        (None, Ok(4)),
        (Some(0), invalid.clone()),
        (Some(-2), invalid),
    ] {
        let answer = app.update_app_settings(updating(all(0), expected)).await;
        let version = answer
            .map(|updated| updated.into_inner().settings.expect("settings").version)
            .map_err(|status| reason_of(&status));
        assert_eq!(version, told, "{expected:?}");
    }
}

/// A change of the settings.
type SettingsEdit = fn(&mut AppSettings);

async fn limits_have_caps(test: &TestService) {
    let mut app = test.sys();
    let goods: [SettingsEdit; 19] = [
        |it| it.max_recipients = Some(1),
        |it| it.max_recipients = Some(500),
        |it| it.max_content_bytes = Some(1),
        |it| it.max_content_bytes = Some(65_536),
        |it| it.default_expiry = Some(lasting(0, 1_000_000)),
        |it| it.default_expiry = Some(lasting(TEN_YEARS_S, 0)),
        |it| it.max_expiry = Some(lasting(TEN_YEARS_S, 0)),
        |it| it.keep_for_moderation = Some(lasting(0, 0)),
        |it| it.keep_for_moderation = Some(lasting(YEAR_S, 0)),
        |it| it.app_reserve_percent = Some(0),
        |it| it.app_reserve_percent = Some(90),
        |it| it.max_unread_per_sender = Some(0),
        |it| it.max_unread_per_sender = Some(10_000),
        |it| it.max_participants = Some(2),
        |it| it.max_participants = Some(500),
        |it| it.app_sends_per_second = Some(0),
        |it| it.app_sends_per_second = Some(1_000_000),
        |it| it.app_sends_burst = Some(1),
        |it| it.app_sends_burst = Some(1_000_000),
    ];
    for good in goods {
        ok(app.update_app_settings(updating(with(good), None))).await;
    }
    let bads: [(SettingsEdit, &str); 20] = [
        (|it| it.max_expiry = Some(lasting(0, 0)), "max_expiry"),
        (
            |it| it.keep_for_moderation = Some(lasting(YEAR_S, 1)),
            "keep_for_moderation",
        ),
        (
            |it| it.keep_for_moderation = Some(lasting(-1, 0)),
            "keep_for_moderation",
        ),
        (
            |it| it.app_reserve_percent = Some(91),
            "app_reserve_percent",
        ),
        (
            |it| it.max_unread_per_sender = Some(10_001),
            "max_unread_per_sender",
        ),
        (|it| it.max_participants = Some(1), "max_participants"),
        (|it| it.max_participants = Some(501), "max_participants"),
        (|it| it.max_recipients = Some(0), "max_recipients"),
        (|it| it.max_recipients = Some(501), "max_recipients"),
        (|it| it.max_content_bytes = Some(0), "max_content_bytes"),
        (
            |it| it.max_content_bytes = Some(65_537),
            "max_content_bytes",
        ),
        (
            |it| it.default_expiry = Some(lasting(0, 0)),
            "default_expiry",
        ),
        (
            |it| it.default_expiry = Some(lasting(-1, 0)),
            "default_expiry",
        ),
        (
            |it| it.default_expiry = Some(lasting(TEN_YEARS_S, 1)),
            "default_expiry",
        ),
        (
            |it| it.profile_calls_per_second = Some(1_000_001),
            "profile_calls_per_second",
        ),
        (
            |it| it.profile_calls_burst = Some(1_000_001),
            "profile_calls_burst",
        ),
        (
            |it| it.profile_sends_per_second = Some(1_000_001),
            "profile_sends_per_second",
        ),
        (|it| it.profile_sends_burst = Some(0), "profile_sends_burst"),
        (
            |it| it.app_sends_per_second = Some(1_000_001),
            "app_sends_per_second",
        ),
        (|it| it.app_sends_burst = Some(0), "app_sends_burst"),
    ];
    for (bad, field) in bads {
        let found = fields(app.update_app_settings(updating(with(bad), None))).await;
        assert_eq!(found, [format!("settings.{field}")]);
    }
    assert_eq!(settings(test).await.settings.expect("settings").version, 20);
}

async fn a_smaller_limit_applies_at_once_on_every_replica(test: &TestService) {
    let (store, listeners) = test.replica().await;
    let token =
        support::issuer::TestIssuer::shared().user(support::issuer::APP, "alice", test.now_s());
    let mut there = listeners.user(&token);
    let request = || message(&["bob", "carol"], text("hi"));
    ok(there.send_message(request())).await;
    let settings = AppSettings {
        max_recipients: Some(1),
        ..Default::default()
    };
    configure(test, settings).await;
    let refused = reason(there.send_message(request())).await;
    assert_eq!(refused, "MAX_RECIPIENTS_EXCEEDED");
    store.close().await;
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = UpdateAppSettingsRequest {
        settings: None,
        expected_version: Some(0),
        request_id: "a b".to_owned(),
    };
    let found = fields(test.sys().update_app_settings(request)).await;
    assert_eq!(found, ["settings", "expected_version", "request_id"]);
}

on_each_database![
    an_update_replaces_all_overrides,
    an_update_may_expect_a_version,
    limits_have_caps,
    a_smaller_limit_applies_at_once_on_every_replica,
    all_violations_are_reported_at_once,
];
