//! Quotas of profiles and apps, as the app's settings override them.

use std::time::{Duration, Instant};

use domain::{Policy, PolicyCeiling, QuotaOverrides, RateOverride};
use proto::sys::v1 as sys;
use proto::sys::v1::AppSettings;
use proto::v1;
use support::issuer::{ALL_SCOPES, APP, TestIssuer};
use support::on_each_database;
use support::service::{InProcessApp, InProcessUser, QUOTAS_REREAD, TestService};
use support::store::{Fixture, Setup, TestStore};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::builders::{configure, counts, message, notice, ok, reason_of, text};
use crate::conformance::fixture::IN_TIME;

/// Calls of which one would be too many, were there a limit.
const MANY: usize = 50;

/// Settings that allow a profile so many calls per second, with a burst of one.
const fn calls_of(per_second: u32) -> AppSettings {
    let mut settings = NOTHING;
    settings.profile_calls_per_second = Some(per_second);
    settings.profile_calls_burst = Some(1);
    settings
}

/// Settings that allow a profile so many sends per second, with a burst of one.
const fn sends_of(per_second: u32) -> AppSettings {
    let mut settings = NOTHING;
    settings.profile_sends_per_second = Some(per_second);
    settings.profile_sends_burst = Some(1);
    settings
}

/// Settings that allow an app so many sends per second, with a burst of one.
const fn app_sends_of(per_second: u32) -> AppSettings {
    let mut settings = NOTHING;
    settings.app_sends_per_second = Some(per_second);
    settings.app_sends_burst = Some(1);
    settings
}

const NOTHING: AppSettings = AppSettings {
    version: 0,
    allow_self_send: None,
    allow_unknown_recipients: None,
    allow_edit: None,
    allow_delete_for_everyone: None,
    recipients_may_delete_for_everyone: None,
    max_recipients: None,
    max_content_bytes: None,
    default_expiry: None,
    max_expiry: None,
    keep_for_moderation: None,
    app_reserve_percent: None,
    max_unread_per_sender: None,
    max_participants: None,
    profile_calls_per_second: None,
    profile_calls_burst: None,
    profile_sends_per_second: None,
    profile_sends_burst: None,
    app_sends_per_second: None,
    app_sends_burst: None,
    app_calls_per_second: None,
    app_calls_burst: None,
    profile_kept_mib: None,
    profile_unused_mailboxes: None,
    app_kept_mib: None,
    app_mailboxes: None,
};

type CallResult = Result<(), Status>;

async fn asks(mut user: InProcessUser) -> CallResult {
    let counts = user.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.map(drop)
}

async fn sends(mut user: InProcessUser) -> CallResult {
    let request = message(&["bob"], text("hi"));
    user.send_message(request).await.map(drop)
}

async fn announces(mut app: InProcessApp) -> CallResult {
    let request = notice(&["bob"], text("news"));
    app.send_message(request).await.map(drop)
}

/// Retry delay of a refusal with `RATE_LIMITED`.
fn wait(status: &Status) -> Duration {
    assert_eq!(reason_of(status), "RATE_LIMITED");
    let retry = status.get_details_retry_info().expect("a RetryInfo");
    let wait = retry.retry_delay.expect("a time");
    assert!(!wait.is_zero() && wait.subsec_nanos().is_multiple_of(1_000_000));
    wait
}

/// Calls until a call is refused, and returns the retry delay. With one call per second that
/// happens unless each call takes longer than a second.
async fn too_often(call: impl AsyncFn() -> CallResult) -> Duration {
    let begun = Instant::now();
    loop {
        if let Err(status) = call().await {
            return wait(&status);
        }
        assert!(begun.elapsed() < IN_TIME, "never too often");
    }
}

async fn a_call_after_the_retry_delay_passes(test: &TestService) {
    let alice = || test.user("alice");
    configure(test, calls_of(1)).await;
    let told = too_often(async || asks(alice()).await).await;
    tokio::time::sleep(told).await;
    asks(alice()).await.expect("a call");

    configure(test, sends_of(1)).await;
    let told = too_often(async || sends(alice()).await).await;
    asks(alice()).await.expect("a call that sends nothing");
    tokio::time::sleep(told).await;
    sends(alice()).await.expect("a send");

    configure(test, app_sends_of(1)).await;
    let told = too_often(async || announces(test.sys()).await).await;
    tokio::time::sleep(told).await;
    announces(test.sys()).await.expect("a send");
    let told = too_often(async || sends(alice()).await).await;
    tokio::time::sleep(told).await;
    sends(alice()).await.expect("a send");
}

async fn quotas_of_profiles_and_apps_are_independent(test: &TestService) {
    let both = AppSettings {
        app_sends_per_second: Some(1),
        app_sends_burst: Some(2),
        ..calls_of(1)
    };
    configure(test, both).await;
    for _ in 0..2 {
        announces(test.sys()).await.expect("a send");
    }
    let mut elsewhere = test.sys_of("other", ALL_SCOPES);
    let request = sys::UpdateAppSettingsRequest {
        settings: Some(both),
        ..Default::default()
    };
    ok(elsewhere.update_app_settings(request)).await;

    too_often(async || asks(test.user("alice")).await).await;
    asks(test.user("bob")).await.expect("another profile");
    asks(test.user_of("other", "alice"))
        .await
        .expect("that profile of another app");

    too_often(async || announces(test.sys()).await).await;
    announces(elsewhere).await.expect("another app");
}

async fn an_override_applies_at_once_and_0_removes_the_limit(test: &TestService) {
    configure(test, calls_of(1)).await;
    let alice = || test.user("alice");
    too_often(async || asks(alice()).await).await;
    configure(test, calls_of(0)).await;
    for _ in 0..MANY {
        asks(alice()).await.expect("no limit");
    }
    configure(test, calls_of(1)).await;
    too_often(async || asks(alice()).await).await;
    configure(test, AppSettings::default()).await;
    for _ in 0..MANY {
        asks(alice()).await.expect("no limit, as configured");
    }
}

async fn an_override_reaches_other_replicas(test: &TestService) {
    let (store, replica) = test.replica().await;
    let there = || replica.user(&TestIssuer::shared().user(APP, "alice", test.now_s()));
    asks(there()).await.expect("no limit yet");
    configure(test, calls_of(1)).await;
    too_often(async || asks(there()).await).await;
    configure(test, calls_of(0)).await;
    let begun = Instant::now();
    let mut passed = 0;
    while passed < MANY {
        passed = asks(there()).await.map_or(0, |()| passed + 1);
        // A refusal waits for nothing, and would leave no time to read.
        tokio::task::yield_now().await;
        assert!(begun.elapsed() < IN_TIME, "always too often");
    }
    store.close().await;
}

async fn quotas_outlive_the_loss_of_the_database(test: &TestService) {
    configure(test, calls_of(1)).await;
    let (store, replica) = test.replica().await;
    let there = || replica.user(&TestIssuer::shared().user(APP, "alice", test.now_s()));
    let told = too_often(async || asks(there()).await).await;
    store.close().await;
    // Long enough to read them again, were there anything to read.
    tokio::time::sleep(told.max(2 * QUOTAS_REREAD)).await;
    let away = asks(there()).await.expect_err("a failure");
    assert_eq!(reason_of(&away), "STORAGE_UNAVAILABLE", "not refused");
    too_often(async || match asks(there()).await {
        Err(status) if reason_of(&status) == "STORAGE_UNAVAILABLE" => Ok(()),
        answer => answer,
    })
    .await;

    // A replica that never could read them has those of the configuration.
    let (store, replica) = test.replica().await;
    store.close().await;
    let there = || replica.user(&TestIssuer::shared().user(APP, "alice", test.now_s()));
    for _ in 0..5 {
        let away = asks(there()).await.expect_err("a failure");
        assert_eq!(reason_of(&away), "STORAGE_UNAVAILABLE");
    }
}

async fn a_refused_send_is_not_executed_and_its_retry_is_executed_once(test: &TestService) {
    configure(test, sends_of(1)).await;
    let mut alice = test.user("alice");
    let request = |number: usize| v1::SendMessageRequest {
        request_id: format!("move-{number}"),
        ..message(&["bob"], text("hi"))
    };
    let mut sent = 0;
    let begun = Instant::now();
    let told = loop {
        match alice.send_message(request(sent)).await {
            Ok(_) => sent += 1,
            Err(status) => break wait(&status),
        }
        assert!(begun.elapsed() < IN_TIME, "never too often");
    };
    let passed = u32::try_from(sent).expect("a few");
    assert_eq!(counts(test, "bob").await, (passed, passed, 0));
    tokio::time::sleep(told).await;
    let first = ok(alice.send_message(request(sent))).await;

    // A retry is a call like any other, and gets the first answer.
    let told = loop {
        match alice.send_message(request(sent)).await {
            Ok(again) => assert_eq!(again.into_inner(), first),
            Err(status) => break wait(&status),
        }
    };
    tokio::time::sleep(told).await;
    assert_eq!(ok(alice.send_message(request(sent))).await, first);
    assert_eq!(counts(test, "bob").await, (passed + 1, passed + 1, 0));
}

/// The service with the quotas that it has if nothing is configured.
struct DefaultQuotas(TestService);

impl Fixture for DefaultQuotas {
    async fn open(setup: Setup) -> Self {
        let store = TestStore::open_with(setup, Policy::default()).await;
        Self(TestService::over(store).await)
    }

    fn into_store(self) -> TestStore {
        self.0.store
    }
}

async fn calls_of_the_app_itself_have_a_quota_of_their_own(test: &TestService) {
    let mut settings = NOTHING;
    settings.app_calls_per_second = Some(1);
    settings.app_calls_burst = Some(1);
    configure(test, settings).await;
    let told = too_often(async || {
        let request = sys::GetAppSettingsRequest {};
        test.sys().get_app_settings(request).await.map(drop)
    });
    let told = told.await;
    for _ in 0..MANY {
        asks(test.user("alice")).await.expect("a user's call");
    }
    let mut elsewhere = test.sys_of("other", ALL_SCOPES);
    for _ in 0..MANY {
        ok(elsewhere.get_app_settings(sys::GetAppSettingsRequest {})).await;
    }
    tokio::time::sleep(told).await;
    configure(test, NOTHING).await;
}

/// The service of an operator who bounds what apps set.
struct CeilingService(TestService);

impl Fixture for CeilingService {
    async fn open(setup: Setup) -> Self {
        let policy = Policy {
            ceiling: PolicyCeiling {
                max_recipients: Some(50),
                quotas: QuotaOverrides {
                    profile_calls: RateOverride {
                        per_second: Some(1),
                        burst: Some(1),
                    },
                    ..QuotaOverrides::default()
                },
                ..PolicyCeiling::default()
            },
            ..Policy::default()
        };
        Self(TestService::over(TestStore::open_with(setup, policy).await).await)
    }

    fn into_store(self) -> TestStore {
        self.0.store
    }
}

async fn no_settings_lift_the_ceiling_of_the_service(test: &CeilingService) {
    let test = &test.0;
    let settings = AppSettings {
        max_recipients: Some(500),
        ..calls_of(0)
    };
    let request = sys::UpdateAppSettingsRequest {
        settings: Some(settings),
        ..Default::default()
    };
    let updated = ok(test.sys().update_app_settings(request)).await;
    let (given, effective) = (updated.settings, updated.effective);
    assert_eq!(given.expect("settings").max_recipients, Some(500));
    let effective = effective.expect("settings");
    assert_eq!(effective.max_recipients, Some(50));
    assert_eq!(effective.profile_calls_per_second, Some(1));
    too_often(async || asks(test.user("alice")).await).await;
    let to: Vec<String> = (0..51).map(|number| format!("p{number}")).collect();
    let refused = test
        .user("bob")
        .send_message(message(&to, text("hi")))
        .await;
    let reason = reason_of(&refused.expect_err("a refusal"));
    assert_eq!(reason, "MAX_RECIPIENTS_EXCEEDED");
    let unset = sys::UpdateAppSettingsRequest {
        settings: Some(AppSettings::default()),
        ..Default::default()
    };
    let unset = ok(test.sys().update_app_settings(unset)).await;
    let effective = unset.effective.expect("settings");
    assert_eq!(
        effective.profile_calls_per_second,
        Some(1),
        "of the defaults, too"
    );
}

async fn the_defaults_are_those_of_the_contract(test: &DefaultQuotas) {
    let request = sys::GetAppSettingsRequest {};
    let found = ok(test.0.sys().get_app_settings(request)).await;
    let effective = found.effective.expect("settings");
    let numbers = [
        effective.profile_calls_per_second,
        effective.profile_calls_burst,
        effective.profile_sends_per_second,
        effective.profile_sends_burst,
        effective.app_sends_per_second,
        effective.app_sends_burst,
        effective.app_calls_per_second,
        effective.app_calls_burst,
        effective.profile_kept_mib,
        effective.profile_unused_mailboxes,
        effective.app_kept_mib,
        effective.app_mailboxes,
    ];
    let expected = [
        200, 1_000, 50, 250, 0, 1_000, 1_000, 5_000, 100, 1_000, 0, 0,
    ];
    assert_eq!(numbers, expected.map(Some));
    assert_eq!(found.settings.expect("settings").app_sends_burst, None);
}

on_each_database![
    a_call_after_the_retry_delay_passes,
    quotas_of_profiles_and_apps_are_independent,
    an_override_applies_at_once_and_0_removes_the_limit,
    an_override_reaches_other_replicas,
    quotas_outlive_the_loss_of_the_database,
    a_refused_send_is_not_executed_and_its_retry_is_executed_once,
    the_defaults_are_those_of_the_contract,
    calls_of_the_app_itself_have_a_quota_of_their_own,
    no_settings_lift_the_ceiling_of_the_service,
];
