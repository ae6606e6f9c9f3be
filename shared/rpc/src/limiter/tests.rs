use auth::{Scopes, SystemIdentity, UserIdentity};
use domain::{ProfileId, Rate};
use storage::Cost;
use tokio::time::advance;

use super::*;
use crate::limits::PROFILE_BUCKETS_BYTES_MAX;

const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

fn user(app: &str, profile: &str) -> User {
    let identity = UserIdentity {
        app: AppId::parse(app).expect("an app"),
        profile: ProfileId::parse(profile).expect("a profile"),
        name: "".into(),
        pic: "".into(),
    };
    User::new(identity, Duration::ZERO, None)
}

fn system(app: &str) -> System {
    System::new(SystemIdentity {
        app: AppId::parse(app).expect("an app"),
        scopes: Scopes::default(),
        subject: None,
    })
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn calling(profile_calls: Rate) -> Arc<Limiter> {
    Limiter::fixed(Quotas {
        profile_calls,
        ..Quotas::NO_LIMITS
    })
}

#[tokio::test(start_paused = true)]
async fn a_burst_passes_at_once_and_then_calls_at_the_rate() {
    let (limiter, alice) = (calling(rate(10, 3)), user("a", "alice"));
    for _ in 0..3 {
        assert_eq!(limiter.user(&alice, false), Ok(()));
    }
    assert_eq!(limiter.user(&alice, false), Err(ms(100)));
    advance(ms(99)).await;
    assert_eq!(limiter.user(&alice, false), Err(ms(1)));
    advance(ms(1)).await;
    assert_eq!(limiter.user(&alice, false), Ok(()));
    assert_eq!(limiter.user(&alice, false), Err(ms(100)));
    advance(Duration::from_hours(1)).await;
    for _ in 0..3 {
        assert_eq!(limiter.user(&alice, false), Ok(()));
    }
    assert!(limiter.user(&alice, false).is_err());
}

#[tokio::test(start_paused = true)]
async fn the_returned_wait_suffices_at_any_rate() {
    for per_second in [1, 3, 7, 64, 999, 1_001, 999_999, 1_000_000] {
        let (limiter, alice) = (calling(rate(per_second, 5)), user("a", "alice"));
        while limiter.user(&alice, false).is_ok() {}
        for _ in 0..20 {
            advance(Duration::from_nanos(333)).await;
            if let Err(wait) = limiter.user(&alice, false) {
                assert_eq!(wait.subsec_nanos() % 1_000_000, 0, "{wait:?}");
                advance(wait).await;
                assert_eq!(limiter.user(&alice, false), Ok(()), "{per_second}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_of_all_buckets_is_returned() {
    let limiter = Limiter::fixed(Quotas {
        profile_calls: rate(10, 1),
        profile_sends: rate(4, 1),
        app_sends: rate(2, 1),
        ..Quotas::NO_LIMITS
    });
    let (alice, bob) = (user("a", "alice"), user("a", "bob"));
    assert_eq!(limiter.user(&alice, true), Ok(()));
    assert_eq!(limiter.user(&alice, false), Err(ms(100)));
    assert_eq!(limiter.user(&bob, true), Err(ms(500)));
    assert_eq!(limiter.user(&alice, true), Err(ms(500)));
    advance(ms(500)).await;
    assert_eq!(limiter.user(&alice, true), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_send_takes_nothing_from_any_bucket() {
    let limiter = Limiter::fixed(Quotas {
        profile_calls: rate(1, 2),
        profile_sends: rate(1, 1),
        app_sends: rate(10, 1),
        ..Quotas::NO_LIMITS
    });
    let alice = user("a", "alice");
    assert_eq!(limiter.system(&system("a"), true), Ok(()));
    for _ in 0..10 {
        assert_eq!(limiter.user(&alice, true), Err(ms(100)));
    }
    advance(ms(100)).await;
    assert_eq!(limiter.user(&alice, true), Ok(()), "its send was left");
    assert_eq!(limiter.user(&alice, false), Ok(()), "and its calls");

    // Conversely: a send over the profile's quota takes nothing from its app's.
    advance(ms(100)).await;
    assert!(limiter.user(&alice, true).is_err());
    assert_eq!(limiter.system(&system("a"), true), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn each_profile_and_app_has_its_own_buckets() {
    let limiter = Limiter::fixed(Quotas {
        profile_calls: rate(1, 1),
        profile_sends: Rate::NO_LIMIT,
        app_sends: rate(1, 2),
        ..Quotas::NO_LIMITS
    });
    assert_eq!(limiter.user(&user("a", "alice"), true), Ok(()));
    assert!(limiter.user(&user("a", "alice"), true).is_err());
    assert_eq!(limiter.user(&user("a", "bob"), true), Ok(()));
    assert!(limiter.user(&user("a", "carol"), true).is_err());
    assert_eq!(limiter.user(&user("a", "carol"), false), Ok(()));
    assert!(limiter.system(&system("a"), true).is_err());
    assert_eq!(limiter.user(&user("b", "alice"), true), Ok(()));
    assert_eq!(limiter.system(&system("b"), true), Ok(()));
    assert!(limiter.system(&system("b"), true).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_changed_quota_refills_its_bucket() {
    let (limiter, alice) = (calling(rate(1, 1)), user("a", "alice"));
    assert_eq!(limiter.user(&alice, false), Ok(()));
    assert!(limiter.user(&alice, false).is_err());
    let changed = |burst| Quotas {
        profile_calls: rate(1, burst),
        ..Quotas::NO_LIMITS
    };
    limiter.set_quotas(alice.app(), 3, changed(2));
    assert_eq!(limiter.user(&alice, false), Ok(()));
    assert_eq!(limiter.user(&alice, false), Ok(()));
    assert!(limiter.user(&alice, false).is_err());

    // A retry of an earlier change has no effect.
    limiter.set_quotas(alice.app(), 2, changed(9));
    assert!(limiter.user(&alice, false).is_err());
    limiter.set_quotas(alice.app(), 4, Quotas::NO_LIMITS);
    for _ in 0..100 {
        assert_eq!(limiter.user(&alice, false), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_profile_buckets_is_bounded() {
    let limiter = calling(rate(1, 1));
    let busy = user("a", "busy");
    assert_eq!(limiter.user(&busy, false), Ok(()));
    for number in 0..200_000 {
        let idle = user("a", &format!("idle-{number}"));
        assert_eq!(limiter.user(&idle, false), Ok(()));
        if number % 1_000 == 0 {
            assert!(limiter.user(&busy, false).is_err(), "{number}");
        }
    }
    let (count, bytes) = (limiter.profiles.count(), limiter.profiles.bytes());
    println!("200,001 profiles called; {count} have buckets, of {bytes} bytes");
    assert!(bytes <= PROFILE_BUCKETS_BYTES_MAX);
    assert!((80_000..200_000).contains(&count), "{count}");
}

/// Returns an account for a call that has just been counted.
fn called(limiter: &Limiter, user: &User, sends: bool) -> CostAccount {
    limiter.user(user, sends).expect("a token");
    limiter.user_account(user, sends)
}

#[tokio::test(start_paused = true)]
async fn a_call_covers_a_bounded_amount_of_work() {
    let (limiter, alice) = (calling(rate(10, 2)), user("a", "alice"));
    let small = called(&limiter, &alice, false);
    small.charge(Cost::Entries(10));
    small.charge(Cost::Rows(50));
    small.charge(Cost::Bytes(16 * 1024));
    assert_eq!(
        limiter.user(&alice, false),
        Ok(()),
        "its second token is left"
    );
    assert_eq!(limiter.user(&alice, false), Err(ms(100)));
}

#[tokio::test(start_paused = true)]
async fn work_beyond_that_of_a_call_is_owed() {
    for cost in [
        Cost::Entries(500),
        Cost::Rows(5_000),
        Cost::Bytes(25 * 64 * 1024),
    ] {
        let (limiter, alice) = (calling(rate(10, 5)), user("a", "alice"));
        called(&limiter, &alice, false).charge(cost);
        // 25 tokens: one was prepaid, 4 were left, 20 are owed; another one is needed.
        assert_eq!(limiter.user(&alice, false), Err(ms(2_100)), "{cost:?}");
        assert_eq!(limiter.user(&user("a", "bob"), false), Ok(()));
        advance(ms(2_100)).await;
        assert_eq!(limiter.user(&alice, false), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_is_counted_by_its_entries_for_its_sender_and_app() {
    let limiter = Limiter::fixed(Quotas {
        profile_calls: Rate::NO_LIMIT,
        profile_sends: rate(10, 5),
        app_sends: rate(100, 5),
        ..Quotas::NO_LIMITS
    });
    let alice = user("a", "alice");
    let sends = called(&limiter, &alice, true);
    sends.charge(Cost::Rows(100_000));
    sends.charge(Cost::Bytes(1 << 30));
    assert_eq!(
        limiter.user(&alice, true),
        Ok(()),
        "rows and bytes are no sends"
    );
    sends.charge(Cost::Entries(500));
    assert_eq!(limiter.user(&alice, true), Err(ms(2_300)));
    assert_eq!(limiter.user(&user("a", "bob"), true), Err(ms(230)));
    assert_eq!(limiter.system(&system("a"), true), Err(ms(230)));
    assert_eq!(limiter.system(&system("b"), true), Ok(()));

    limiter.system(&system("c"), true).expect("a token");
    limiter
        .system_account(&system("c"), true)
        .charge(Cost::Entries(200));
    assert!(limiter.system(&system("c"), true).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_debt_is_paid_within_a_minute() {
    let (limiter, alice) = (calling(rate(10, 5)), user("a", "alice"));
    called(&limiter, &alice, false).charge(Cost::Entries(usize::MAX));
    let wait = limiter.user(&alice, false).expect_err("a debt");
    assert_eq!(wait, ms(60_100));
}

#[tokio::test(start_paused = true)]
async fn work_without_a_quota_costs_nothing() {
    let (limiter, alice) = (Limiter::fixed(Quotas::NO_LIMITS), user("a", "alice"));
    called(&limiter, &alice, true).charge(Cost::Entries(usize::MAX));
    assert_eq!(limiter.user(&alice, true), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_app_itself_has_a_bucket_of_calls() {
    let limiter = Limiter::fixed(Quotas {
        app_calls: rate(1, 2),
        ..Quotas::NO_LIMITS
    });
    let app = system("a");
    assert_eq!(limiter.system(&app, false), Ok(()));
    assert_eq!(limiter.system(&app, true), Ok(()), "a send is a call, too");
    assert!(limiter.system(&app, false).is_err());
    assert_eq!(limiter.system(&system("b"), false), Ok(()));
    assert_eq!(limiter.user(&user("a", "alice"), true), Ok(()));
    advance(Duration::from_secs(1)).await;
    assert_eq!(limiter.system(&app, false), Ok(()));
    let account = limiter.system_account(&app, false);
    account.charge(Cost::Rows(3 * 200));
    assert!(
        limiter.system(&app, false) > Err(ms(1_000)),
        "two tokens are owed"
    );
}
