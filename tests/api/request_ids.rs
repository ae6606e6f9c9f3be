//! `request_id`, on every method that takes one.

mod mutation;

use domain::limits::HOUR_MS;
use futures::future::join_all;
use proto::sys::v1 as sys;
use proto::v1;
use support::issuer::{ALL_SCOPES, APP, TestIssuer};
use support::on_each_database;
use support::service::{Listeners, TestService};

pub use self::mutation::{Callers, Mutation, MutationTargets, segment};
use super::builders::{configure, counts, message, notice, ok, reason, text};

impl Callers {
    /// Alice and the app, calling that replica.
    pub fn of(test: &TestService, listeners: &Listeners) -> Self {
        let (issuer, now_s) = (TestIssuer::shared(), test.now_s());
        Self {
            alice: listeners.user(&issuer.user(APP, "alice", now_s)),
            conversations: listeners.conversations(&issuer.user(APP, "alice", now_s)),
            app: listeners.sys(&issuer.sys(APP, ALL_SCOPES, now_s)),
        }
    }
}

async fn a_repeated_request_gives_the_first_answer_again_for_72_hours(test: &TestService) {
    let almost_ms = 72 * HOUR_MS - 1;
    for mutation in Mutation::ALL {
        let world = MutationTargets::furnish(test).await;
        let callers = Callers::of(test, &test.listeners);
        let first = mutation.call(&callers, &world, "once", "a").await;
        first.as_ref().expect("an answer");
        test.store.clock.advance(almost_ms);
        let callers = Callers::of(test, &test.listeners);
        let again = mutation.call(&callers, &world, "once", "a").await;
        assert_eq!(again, first, "{mutation:?}");
        // After that the id is free again: the next method takes it.
        test.store.clock.advance(1);
    }
}

async fn a_repeated_request_is_executed_once(test: &TestService) {
    let callers = Callers::of(test, &test.listeners);
    for mutation in Mutation::ALL {
        let world = MutationTargets::furnish(test).await;
        let id = format!("{mutation:?}");
        mutation
            .call(&callers, &world, &id, "a")
            .await
            .expect("an answer");
        let [alice, bob] = [counts(test, "alice").await, counts(test, "bob").await];
        mutation
            .call(&callers, &world, &id, "a")
            .await
            .expect("an answer");
        assert_eq!(
            [counts(test, "alice").await, counts(test, "bob").await],
            [alice, bob]
        );
    }
}

async fn the_answer_outlives_its_message_and_the_policy(test: &TestService) {
    let callers = Callers::of(test, &test.listeners);
    for mutation in Mutation::ALL {
        configure(test, sys::AppSettings::default()).await;
        let world = MutationTargets::furnish(test).await;
        let id = format!("{mutation:?}");
        let first = mutation.call(&callers, &world, &id, "a").await;
        first.as_ref().expect("an answer");
        world.remove_all(test).await;
        if mutation != Mutation::UpdateAppSettings {
            configure(test, mutation::strictest()).await;
        }
        let again = mutation.call(&callers, &world, &id, "a").await;
        assert_eq!(again, first, "{mutation:?}");
    }
}

async fn another_body_or_method_is_another_request(test: &TestService) {
    let callers = Callers::of(test, &test.listeners);
    let reused = Err("REQUEST_ID_REUSED".to_owned());
    for first in Mutation::ALL {
        let world = MutationTargets::furnish(test).await;
        let id = format!("{first:?}");
        let answer = first.call(&callers, &world, &id, "a").await;
        answer.as_ref().expect("an answer");
        let same_caller = |second: &Mutation| second.is_of_user() == first.is_of_user();
        for second in Mutation::ALL.into_iter().filter(same_caller) {
            let body = if second == first { "b" } else { "a" };
            let told = second.call(&callers, &world, &id, body).await;
            assert_eq!(told, reused, "{first:?}, then {second:?}");
        }
        let others = MutationTargets::furnish(test).await;
        let told = first.call(&callers, &others, &id, "a").await;
        let expected = if first.names_messages() {
            &reused
        } else {
            &answer
        };
        assert_eq!(told, *expected, "{first:?}");
    }
}

async fn users_and_the_app_have_keys_of_their_own(test: &TestService) {
    let once = || v1::SendMessageRequest {
        request_id: "once".to_owned(),
        ..message(&["carol"], text("hi"))
    };
    let noticed = || sys::SendMessageRequest {
        request_id: "once".to_owned(),
        ..notice(&["carol"], text("hi"))
    };
    let by_alice = ok(test.user("alice").send_message(once())).await;
    let by_bob = ok(test.user("bob").send_message(once())).await;
    let by_the_app = ok(test.sys().send_message(noticed())).await;
    assert_eq!(counts(test, "carol").await, (3, 3, 0));
    assert_eq!(ok(test.user("alice").send_message(once())).await, by_alice);
    assert_eq!(ok(test.user("bob").send_message(once())).await, by_bob);
    let another = test.sys_of(APP, "sys.send");
    assert_eq!(
        ok(another.clone().send_message(noticed())).await,
        by_the_app
    );
    assert_eq!(counts(test, "carol").await, (3, 3, 0));
}

async fn a_failure_is_not_stored(test: &TestService) {
    let forbidden = sys::AppSettings {
        allow_self_send: Some(false),
        ..Default::default()
    };
    configure(test, forbidden).await;
    let once = || v1::SendMessageRequest {
        request_id: "once".to_owned(),
        ..message(&["alice"], text("hi"))
    };
    let mut alice = test.user("alice");
    let refused = reason(alice.send_message(once())).await;
    assert_eq!(refused, "NOT_ALLOWED_BY_POLICY");
    configure(test, sys::AppSettings::default()).await;
    assert_eq!(ok(alice.send_message(once())).await.actual, 1);
}

async fn sixteen_concurrent_requests_over_two_replicas_are_one(test: &TestService) {
    let (store, there) = test.replica().await;
    let callers = [
        Callers::of(test, &test.listeners),
        Callers::of(test, &there),
    ];
    for mutation in Mutation::ALL {
        let world = MutationTargets::furnish(test).await;
        let id = format!("{mutation:?}");
        let (callers, world, id) = (&callers, &world, id.as_str());
        let before = (counts(test, "alice").await, counts(test, "bob").await);
        let calls = (0..16)
            .map(|call| async move { mutation.call(&callers[call % 2], world, id, "a").await });
        let answers = join_all(calls).await;
        let first = answers[0].as_ref().expect("an answer");
        assert!(
            answers.iter().all(|answer| answer.as_ref() == Ok(first)),
            "{answers:#?}"
        );
        if mutation.sends() {
            let ((_, _, sent), (total, unread, _)) = before;
            assert_eq!(
                counts(test, "bob").await,
                (total + 1, unread + 1, 0),
                "{mutation:?}"
            );
            let own = u32::from(mutation.is_of_user());
            assert_eq!(counts(test, "alice").await.2, sent + own, "{mutation:?}");
        }
    }
    store.close().await;
}

on_each_database![
    a_repeated_request_gives_the_first_answer_again_for_72_hours,
    a_repeated_request_is_executed_once,
    the_answer_outlives_its_message_and_the_policy,
    another_body_or_method_is_another_request,
    users_and_the_app_have_keys_of_their_own,
    a_failure_is_not_stored,
    sixteen_concurrent_requests_over_two_replicas_are_one,
];
