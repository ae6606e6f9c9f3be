//! Settings of an app, and their versions.

use domain::operation::UpdateAppSettings;
use domain::{
    Action, AppId, Outcome, Policy, QuotaOverrides, Quotas, Rate, RateOverride, Refusal, Settings,
};
use support::however_gathered;
use support::store::lenient;

use super::builders::{app, other_app};
use super::fixture::{BatchStore, StoreFixture};

however_gathered![
    settings_override_the_defaults_and_have_versions,
    one_of_two_updates_that_expect_the_same_version_wins,
];

fn configure(settings: &Settings, expected_version: Option<i64>) -> Action {
    Action::UpdateAppSettings(UpdateAppSettings {
        settings: settings.clone(),
        expected_version,
    })
}

async fn settings_in(store: &BatchStore, app: &AppId) -> Settings {
    store.app_state(app).await.expect("a state").settings
}

const fn overridden(per_second: u32, burst: u32) -> RateOverride {
    RateOverride {
        per_second: Some(per_second),
        burst: Some(burst),
    }
}

const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

async fn settings_override_the_defaults_and_have_versions(fixture: &StoreFixture) {
    let fresh = settings_in(&fixture.store, &app()).await;
    assert_eq!(fresh, Settings::default());
    assert_eq!(fixture.store.policy(&fresh), lenient());
    let all = Settings {
        version: 99,
        allow_self_send: Some(false),
        allow_unknown_recipients: Some(false),
        allow_edit: Some(false),
        allow_delete_for_everyone: Some(false),
        recipients_may_delete_for_everyone: Some(true),
        max_recipients: Some(7),
        max_content_bytes: Some(8),
        default_expiry_ms: Some(9),
        max_expiry_ms: Some(10),
        keep_for_moderation_ms: Some(13),
        app_reserve_percent: Some(11),
        max_unread_per_sender: Some(12),
        max_participants: Some(14),
        quotas: QuotaOverrides {
            profile_calls: overridden(1, 2),
            profile_sends: overridden(3, 4),
            app_sends: overridden(5, 6),
            app_calls: overridden(7, 8),
            profile_kept_mib: Some(9),
            profile_unused_mailboxes: Some(10),
            app_kept_mib: Some(11),
            app_mailboxes: Some(12),
        },
    };
    let kept = Settings {
        version: 2,
        ..all.clone()
    };
    let outcome = fixture.done(configure(&all, Some(1))).await;
    assert_eq!(outcome, Outcome::SettingsUpdated(kept.clone()));
    let policy = Policy {
        allow_self_send: false,
        allow_unknown_recipients: false,
        allow_edit: false,
        allow_delete_for_everyone: false,
        recipients_may_delete_for_everyone: true,
        max_recipients: 7,
        max_content_bytes: 8,
        default_expiry_ms: 9,
        max_expiry_ms: 10,
        keep_for_moderation_ms: 13,
        app_reserve_percent: 11,
        max_unread_per_sender: 12,
        max_participants: 14,
        quotas: Quotas {
            profile_calls: rate(1, 2),
            profile_sends: rate(3, 4),
            app_sends: rate(5, 6),
            app_calls: rate(7, 8),
            profile_kept_mib: 9,
            profile_unused_mailboxes: 10,
            app_kept_mib: 11,
            app_mailboxes: 12,
        },
        ..lenient()
    };
    let replica = fixture.replica().await;
    for store in [&fixture.store, &replica] {
        let settings = settings_in(store, &app()).await;
        assert_eq!(settings, kept);
        assert_eq!(store.policy(&settings), policy);
        let elsewhere = settings_in(store, &other_app("other")).await;
        assert_eq!(elsewhere, Settings::default());
    }
    replica.close().await;

    let stale = fixture.act(configure(&all, Some(1))).await;
    let mismatch = Refusal::VersionMismatch {
        expected: 1,
        current: 2,
    };
    assert_eq!(stale, Err(mismatch));
    let reset = fixture.done(configure(&Settings::default(), None)).await;
    let Outcome::SettingsUpdated(reset) = reset else {
        panic!("{reset:?}");
    };
    assert_eq!((reset.version, reset.allow_edit), (3, None));
}

async fn one_of_two_updates_that_expect_the_same_version_wins(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let stores = [&fixture.store, &replica];
    for round in 1..=5 {
        let calls = (0..8).map(async |call: usize| {
            let configure = configure(&Settings::default(), Some(round));
            let operation = super::builders::operation(configure);
            stores[call % 2].run(&app(), operation).await
        });
        let verdicts = futures::future::join_all(calls).await;
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    }
    let settings = settings_in(&fixture.store, &app()).await;
    assert_eq!(settings.version, 6);
    replica.close().await;
}
