//! Request coalescing: counts of many callers are read by one statement.

use domain::AppId;
use domain::mailbox::Counts;
use futures::future::join_all;
use storage::Requester;
use support::on_each_database;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::builders::{app, operation, other_app, profile, send, to_all};
use super::fixture::{BatchStore, IN_TIME, StoreFixture};

on_each_database![
    coalesced_reads_return_each_caller_its_own_counts,
    coalesced_counts_include_the_last_acknowledged_write,
    cancelling_a_coalesced_read_does_not_cancel_the_others,
    a_read_after_many_cancelled_ones_is_answered,
];

/// Number of users, more than there are read connections.
const USERS: usize = 60;

fn user(number: usize) -> String {
    format!("user-{number}")
}

async fn counts(store: &BatchStore, app: &AppId, owner: &str, requester: Requester) -> Counts {
    let counted = store.counts(app, &profile(owner), requester).await;
    counted.expect("counts").counts
}

/// Sends user `i` as many messages as `i` modulo 5.
async fn fill(fixture: &StoreFixture) {
    for number in 0..USERS {
        for _ in 0..number % 5 {
            fixture.announce(&[&user(number)]).await;
        }
    }
}

fn expected(number: usize, more: usize) -> Counts {
    let total = i64::try_from(number % 5 + more).expect("few");
    Counts {
        inbox_total: total,
        inbox_unread: total,
        sent_total: 0,
    }
}

async fn coalesced_reads_return_each_caller_its_own_counts(fixture: &StoreFixture) {
    fill(fixture).await;
    let elsewhere = other_app("elsewhere");
    let action = send("someone", &[&user(7)]);
    let sent = fixture.store.run(&elsewhere, operation(action)).await;
    sent.expect("it is sent");
    let nowhere = other_app("nowhere");

    // Some mailboxes are created by this read, some are due, and some belong to other apps.
    fixture.done(to_all()).await;
    let of_users = (0..USERS).map(async |number| {
        let found = counts(&fixture.store, &app(), &user(number), Requester::Owner).await;
        // The bulk message reached the existing mailboxes.
        let reached = usize::from(number % 5 > 0);
        assert_eq!(found, expected(number, reached), "{number}");
    });
    let of_others = (0..USERS).map(async |number| {
        let found = counts(&fixture.store, &elsewhere, &user(number), Requester::App).await;
        let total = i64::from(number == 7);
        assert_eq!(found.inbox_total, total, "{number}");
        let found = counts(&fixture.store, &nowhere, &user(number), Requester::App).await;
        assert_eq!(found, Counts::default(), "{number}");
    });
    tokio::join!(join_all(of_users), join_all(of_others));
}

async fn coalesced_counts_include_the_last_acknowledged_write(fixture: &StoreFixture) {
    let writers = (0..USERS).map(async |number| {
        for total in 1..=10 {
            fixture
                .store
                .run(&app(), operation(send(&user(number), &[&user(number)])))
                .await
                .expect("sent");
            let found = counts(&fixture.store, &app(), &user(number), Requester::Owner).await;
            let all = Counts {
                inbox_total: total,
                inbox_unread: total,
                sent_total: total,
            };
            assert_eq!(found, all, "{number}");
        }
    });
    join_all(writers).await;
}

async fn cancelling_a_coalesced_read_does_not_cancel_the_others(fixture: &StoreFixture) {
    fill(fixture).await;
    for round in 0..40 {
        let asking = (0..USERS).map(|number| {
            let store = fixture.store.clone();
            let ask = async move { counts(&store, &app(), &user(number), Requester::App).await };
            (number, tokio::spawn(ask))
        });
        let asking: Vec<_> = asking.collect();
        for _ in 0..round {
            yield_now().await;
        }
        for (number, ask) in asking {
            if (number + round) % 3 == 0 {
                ask.abort();
            } else {
                assert_eq!(
                    ask.await.expect("an answer"),
                    expected(number, 0),
                    "{number}"
                );
            }
        }
    }
}

async fn a_read_after_many_cancelled_ones_is_answered(fixture: &StoreFixture) {
    fill(fixture).await;
    for _ in 0..5 {
        let crowd = (0..1_000).map(|number| {
            let store = fixture.store.clone();
            let owner = user(number % USERS);
            tokio::spawn(async move { counts(&store, &app(), &owner, Requester::App).await })
        });
        let crowd: Vec<_> = crowd.collect();
        yield_now().await;
        for one in crowd {
            one.abort();
        }
        let (app, owner) = (app(), user(3));
        let one = counts(&fixture.store, &app, &owner, Requester::App);
        let found = timeout(IN_TIME, one).await;
        assert_eq!(found.expect("an answer"), expected(3, 0));
    }
}
