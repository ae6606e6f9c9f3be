//! Quotas of calls.

use std::time::Duration;

use domain::{Quotas, Rate};
use storage::{Cost, CostAccount};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::support::*;
use crate::Limiter;
use crate::stack::ServiceName::{Messaging, Sys};
use auth::testing::{sys_claims, user_claims};

fn one_a_second() -> Quotas {
    let rate = Rate {
        per_second: 1,
        burst: 1,
    };
    Quotas {
        profile_calls: rate,
        profile_sends: rate,
        app_sends: rate,
        ..Quotas::NO_LIMITS
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_over_the_quota_is_rejected_with_a_retry_time() {
    let quotas = Limiter::fixed(one_a_second());
    let stack = limited(Messaging, quotas, async |_| ok()).await;
    let call = || call_as(SEND, &user_claims());
    assert_eq!(ending(&stack, call()).await, success());
    let refused = status(run(&stack, call()).await).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let info = refused.get_details_error_info().expect("an info");
    assert_eq!(info.reason, "RATE_LIMITED");
    let retry = refused.get_details_retry_info().expect("a time");
    let wait = retry.retry_delay.expect("a time");
    assert_eq!(wait, Duration::from_secs(1));
    tokio::time::advance(wait).await;
    assert_eq!(ending(&stack, call()).await, success());
}

#[tokio::test(start_paused = true)]
async fn both_listeners_share_the_quota_of_an_apps_sends() {
    let quotas = Limiter::fixed(one_a_second());
    let users = limited(Messaging, quotas.clone(), async |_| ok()).await;
    let app = limited(Sys, quotas, async |_| ok()).await;
    assert_eq!(
        ending(&users, call_as(SEND, &user_claims())).await,
        success()
    );
    let (code, reason) = ending(&app, call_as(SYS_SEND, &sys_claims("sys.send"))).await;
    assert_eq!((code, &*reason), (Code::ResourceExhausted, "RATE_LIMITED"));
}

#[tokio::test(start_paused = true)]
async fn probes_and_unauthenticated_calls_have_no_quota() {
    let quotas = Limiter::fixed(one_a_second());
    let stack = limited(Messaging, quotas, async |_| ok()).await;
    for _ in 0..100 {
        assert_eq!(ending(&stack, call(HEALTH)).await, success());
        let (code, _) = ending(&stack, call(SEND)).await;
        assert_eq!(code, Code::Unauthenticated);
    }
    assert_eq!(
        ending(&stack, call_as(SEND, &user_claims())).await,
        success()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_and_the_work_of_a_handler_are_charged() {
    let rate = Rate {
        per_second: 1,
        burst: 1,
    };
    let quotas = || {
        Limiter::fixed(Quotas {
            profile_calls: rate,
            ..Quotas::NO_LIMITS
        })
    };
    let large = limited(Messaging, quotas(), async |_| answer(10 * 64 * 1024));
    let working = limited(Messaging, quotas(), async |call| {
        let account: &CostAccount = call.extensions().get().expect("an account");
        account.charge(Cost::Entries(200));
        ok()
    });
    for stack in [large.await, working.await] {
        let call = || call_as(SEND, &user_claims());
        assert_eq!(ending(&stack, call()).await, success());
        let refused = status(run(&stack, call()).await).await;
        let retry = refused.get_details_retry_info().expect("a time");
        let wait = retry.retry_delay.expect("a time");
        assert_eq!(wait, Duration::from_secs(10));
    }
}
