//! Revocations of tokens.

use domain::limits::{EXPIRED_KEPT_MS, REVOCATION_KEPT_MS};
use domain::operation::RevokeTokens;
use domain::{Action, AppId, Millis, Outcome, Revocation};
use support::however_gathered;

use super::builders::{app, other_app, profile};
use super::expiry::sweep_all;
use super::fixture::StoreFixture;

however_gathered![
    revocations_are_numbered_and_the_latest_time_stays_in_force,
    revocations_are_kept_until_all_tokens_have_expired,
];

async fn revoke(fixture: &StoreFixture, name: &str, before: Millis) -> Revocation {
    let revocation = Action::RevokeTokens(RevokeTokens {
        profile_id: profile(name),
        before: Some(before),
    });
    match fixture.act(revocation).await {
        Ok(Outcome::TokensRevoked(revocation)) => revocation,
        other => panic!("{other:?}"),
    }
}

async fn revoked_before(fixture: &StoreFixture, app: &AppId, name: &str) -> Option<Millis> {
    let profile = profile(name);
    let read = fixture.store.revoked_before(app, &profile);
    read.await.expect("a time")
}

async fn last(fixture: &StoreFixture) -> i64 {
    let state = fixture.store.app_state(&app()).await.expect("a state");
    state.last_revocation
}

async fn revocations_are_numbered_and_the_latest_time_stays_in_force(fixture: &StoreFixture) {
    assert_eq!(last(fixture).await, 0);
    assert_eq!(revoked_before(fixture, &app(), "ann").await, None);
    let now = fixture.clock().now_ms();
    let times = [now.after(-5), now.after(-1), now.after(-3)];
    for (number, before) in (1..).zip(times) {
        let expected = Revocation { before, number };
        assert_eq!(revoke(fixture, "ann", before).await, expected);
        assert_eq!(last(fixture).await, number);
    }
    assert_eq!(
        revoked_before(fixture, &app(), "ann").await,
        Some(now.after(-1))
    );
    assert_eq!(revoked_before(fixture, &app(), "bob").await, None);
    let elsewhere = other_app("other");
    assert_eq!(revoked_before(fixture, &elsewhere, "ann").await, None);
}

async fn revocations_are_kept_until_all_tokens_have_expired(fixture: &StoreFixture) {
    let now = fixture.clock().now_ms();
    revoke(fixture, "ann", now).await;
    fixture.clock().advance(REVOCATION_KEPT_MS - 1);
    sweep_all(&fixture.store).await;
    assert_eq!(revoked_before(fixture, &app(), "ann").await, Some(now));
    fixture.clock().advance(EXPIRED_KEPT_MS + 1);
    sweep_all(&fixture.store).await;
    assert_eq!(revoked_before(fixture, &app(), "ann").await, None);
    assert_eq!(last(fixture).await, 1);
}
