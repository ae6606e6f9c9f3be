//! Settling of mailboxes with open streams: bulk messages and expiry.

use std::time::Duration;

use domain::operation::SendMessage;
use domain::{Action, AppId, Draft, MessageId, Operation, Outcome, ProfileId, Sender};
use futures::future::join_all;
use proto::sys::v1 as sys;
use storage_sql::Notify;
use support::issuer::{APP, TestIssuer};
use support::service::TestService;
use support::{coverage, gears, on_each_database};
use tokio::time::Instant;

use super::subscriber::{StreamSubscriber, is_change, short};
use crate::api::builders::{counts, ok, send, strings, text};
use crate::api::sys::send_bulk::to_all;
use crate::conformance::builders::text as stored_text;

/// Sizes of a test; larger in the second gear.
struct Sizes {
    streams: usize,
    /// Messages of each kind in a mailbox: a multiple of [`ROUNDS`].
    messages: usize,
    /// Mailboxes with that many messages.
    owners: usize,
    /// Sends without anything beside them.
    quiet: Duration,
}

/// Rounds in which a mailbox is filled.
const ROUNDS: usize = 10;
const LIFE_MS: i64 = 60_000;

fn sizes() -> Sizes {
    if gears::second() {
        Sizes {
            streams: 300,
            messages: 500,
            owners: 10,
            quiet: Duration::from_secs(1),
        }
    } else {
        Sizes {
            streams: 40,
            messages: 100,
            owners: 5,
            quiet: Duration::from_millis(20),
        }
    }
}

async fn followers(test: &TestService) -> Vec<StreamSubscriber> {
    let open = (0..sizes().streams).map(async |number| {
        let user = test.user(&format!("user{number}"));
        let mut follower = StreamSubscriber::of(user, "").await;
        follower.backlog().await;
        follower
    });
    join_all(open).await
}

async fn all_see(followers: &mut [StreamSubscriber], what: &'static str, id: &str) {
    let seen = followers
        .iter_mut()
        .map(async |follower| follower.changes(1).await);
    for changes in join_all(seen).await {
        assert_eq!(changes, [(what, id.to_owned())]);
    }
}

async fn a_bulk_message_reaches_all_streams_once(test: &TestService) {
    let mut followers = followers(test).await;
    let began = Instant::now();
    let id = to_all(test).await;
    all_see(&mut followers, "new", &id).await;
    let took = began.elapsed();
    coverage::print_once(&format!(
        "to everyone, {} streams: the last one saw it after {} ms",
        followers.len(),
        took.as_millis()
    ));
    let update = sys::UpdateMessageRequest {
        message_id: id.clone(),
        content: Some(text("better")),
        ..Default::default()
    };
    ok(test.sys().update_message(update)).await;
    all_see(&mut followers, "changed", &id).await;
    let delete = sys::DeleteMessagesRequest {
        message_ids: strings(&[&id]),
        ..Default::default()
    };
    ok(test.sys().delete_messages(delete)).await;
    all_see(&mut followers, "gone", &id).await;
    let last = to_all(test).await;
    all_see(&mut followers, "new", &last).await;
}

async fn a_bulk_message_reaches_streams_of_a_polling_replica(test: &TestService) {
    let every = Duration::from_millis(20);
    let (store, replica) = test.replica_that_hears(Notify::Off, every).await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    let mut bob = StreamSubscriber::of(replica.user(&token), "").await;
    bob.backlog().await;
    let id = to_all(test).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
    store.close().await;
}

fn app() -> AppId {
    AppId::parse(APP).expect("an app id")
}

async fn deliver(test: &TestService, to: &[ProfileId], lifetime_ms: Option<i64>) -> MessageId {
    let from = Sender {
        name: "News".to_owned(),
        ..Sender::default()
    };
    let deliver = SendMessage::new(
        Draft {
            lifetime_ms,
            ..Draft::new(from, stored_text("news"))
        },
        to.to_vec(),
    );
    let operation = Operation {
        request: None,
        action: Action::SendMessage(deliver),
    };
    let deadline = crate::conformance::fixture::in_time();
    match test.store.store.execute(&app(), operation, deadline).await {
        Ok(Outcome::Sent(sent)) => sent.message_id,
        other => panic!("{other:?}"),
    }
}

/// Latencies of consecutive sends of another user until `work` is done.
async fn sends_beside<T>(test: &TestService, work: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let mut delays = Vec::new();
    let mut work = std::pin::pin!(work);
    loop {
        let began = Instant::now();
        let send = std::pin::pin!(send(test, "alice", &["zoe"]));
        match futures::future::select(work.as_mut(), send).await {
            futures::future::Either::Left((done, send)) => {
                send.await;
                delays.push(began.elapsed());
                return (done, delays);
            }
            futures::future::Either::Right(_) => delays.push(began.elapsed()),
        }
    }
}

fn percentile(delays: &mut [Duration], percent: usize) -> f64 {
    delays.sort_unstable();
    let at = (delays.len() * percent / 100).min(delays.len() - 1);
    delays[at].as_secs_f64() * 1_000.0
}

async fn expiry_of_half_a_mailbox_delays_no_other_call(test: &TestService) {
    let Sizes {
        messages,
        owners: count,
        quiet,
        ..
    } = sizes();
    let names: Vec<String> = (0..count).map(|number| format!("owner{number}")).collect();
    let parsed = names
        .iter()
        .map(|name| ProfileId::parse(name).expect("an id"));
    let owners: Vec<ProfileId> = parsed.collect();
    for _ in 0..ROUNDS {
        let some = (0..messages / ROUNDS).flat_map(|_| {
            [
                deliver(test, &owners, Some(LIFE_MS)),
                deliver(test, &owners, None),
            ]
        });
        join_all(some).await;
    }
    let mut follower = StreamSubscriber::of(test.user(&names[0]), "").await;
    follower.backlog().await;
    let all = u32::try_from(messages).expect("few");
    assert_eq!(counts(test, &names[0]).await, (2 * all, 2 * all, 0));
    let quiet = tokio::time::sleep(quiet);
    let ((), mut alone) = sends_beside(test, quiet).await;

    test.store.clock.advance(LIFE_MS);
    let settle = async {
        // The owners of these come by themselves; the sweep does the rest.
        for owner in &names[..2] {
            assert_eq!(counts(test, owner).await, (all, all, 0));
        }
        while test.store.store.expire_due().await.expect("a sweep") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        test.store.clock.advance(domain::limits::EXPIRED_KEPT_MS);
        while test.store.store.expire_due().await.expect("a sweep") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ((), mut beside) = sends_beside(test, settle).await;
    let mut gone = 0;
    while gone < messages {
        let next = short(&follower.next().await);
        if is_change(&next) {
            assert_eq!(next.0, "gone");
            gone += 1;
        }
    }
    let settled = support::drift::assert_none(&*test.store.store).await;
    let sends = alone.len() + beside.len();
    let held = (count * messages + 2 * sends) as u64;
    assert_eq!(settled.entries, held, "the sweep has settled all of them");
    coverage::print_once(&format!(
        "{} of {} entries expire: sends alone p50 {:.1} ms, p99 {:.1} ms; beside it p50 {:.1} ms, \
         p99 {:.1} ms, max {:.1} ms ({} sends)",
        count * messages,
        2 * count * messages,
        percentile(&mut alone, 50),
        percentile(&mut alone, 99),
        percentile(&mut beside, 50),
        percentile(&mut beside, 99),
        percentile(&mut beside, 100),
        beside.len()
    ));
}

on_each_database![
    a_bulk_message_reaches_all_streams_once,
    a_bulk_message_reaches_streams_of_a_polling_replica,
    expiry_of_half_a_mailbox_delays_no_other_call,
];
