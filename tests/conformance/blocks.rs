//! Blocks between users.

use domain::{Action, Outcome, ProfileId};
use storage::Requester;
use support::however_gathered;

use super::builders::{announce, app, block, operation, other_app, profile, send, settle, unblock};
use super::fixture::StoreFixture;

however_gathered![
    a_message_of_a_blocked_sender_is_sent_and_not_delivered,
    a_blocking_profile_reaches_no_blocked_one,
    a_block_precedes_the_first_message_of_a_profile,
    blocks_are_listed_in_pages_by_profile,
    concurrent_blocks_and_sends_keep_every_count,
];

async fn blocked(fixture: &StoreFixture, owner: &str) -> Vec<String> {
    let (app, owner) = (app(), profile(owner));
    let blocks = fixture.store.blocks(&app, &owner, None, 100).await;
    let blocks = blocks.expect("blocks").into_iter();
    blocks.map(|it| it.profile_id.to_string()).collect()
}

/// Number of the last change of a mailbox.
async fn head(fixture: &StoreFixture, owner: &str) -> i64 {
    let (app, owner) = (app(), profile(owner));
    let counted = fixture.store.counts(&app, &owner, Requester::App).await;
    counted.expect("counts").offset.seq
}

/// Requested and reached inboxes of a send.
async fn numbers(fixture: &StoreFixture, from: &str, to: &[&str]) -> (u32, u32) {
    match fixture.act(send(from, to)).await {
        Ok(Outcome::Sent(sent)) => (sent.requested, sent.actual),
        other => panic!("{other:?}"),
    }
}

async fn a_message_of_a_blocked_sender_is_sent_and_not_delivered(fixture: &StoreFixture) {
    assert_eq!(numbers(fixture, "eve", &["ann", "bob"]).await, (2, 2));
    fixture.done(block("bob", "eve")).await;
    let before = head(fixture, "bob").await;
    assert_eq!(numbers(fixture, "eve", &["ann", "bob"]).await, (2, 2));
    assert_eq!(numbers(fixture, "eve", &["bob"]).await, (1, 1));
    assert_eq!(head(fixture, "bob").await, before);
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    assert_eq!(fixture.counts("ann").await, (2, 2, 0));
    assert_eq!(fixture.counts("eve").await, (0, 0, 3));
    // Names are compared bytewise, the app is never blocked, nor is another app's user.
    assert_eq!(numbers(fixture, "Eve", &["bob"]).await, (1, 1));
    fixture.done(announce(&["bob"])).await;
    fixture.done(block("bob", "Eve")).await;
    fixture.done(unblock("bob", "eve")).await;
    fixture.done(send("eve", &["bob"])).await;
    assert_eq!(fixture.counts("bob").await, (4, 4, 0));
    let elsewhere = other_app("other");
    let letter = operation(send("Eve", &["bob"]));
    fixture
        .execute(&elsewhere, letter)
        .await
        .expect("a message");
    assert_eq!(fixture.counts_in(&elsewhere, "bob").await, (1, 1, 0));
}

async fn a_blocking_profile_reaches_no_blocked_one(fixture: &StoreFixture) {
    fixture.done(block("bob", "eve")).await;
    assert_eq!(numbers(fixture, "bob", &["ann", "eve"]).await, (2, 2));
    assert_eq!(fixture.counts("eve").await, (0, 0, 0));
    assert_eq!(fixture.counts("ann").await, (1, 1, 0));
    assert_eq!(fixture.counts("bob").await, (0, 0, 1));
    // In one transaction, in any order.
    let verdicts = fixture
        .batch([
            unblock("bob", "eve"),
            send("eve", &["bob"]),
            block("bob", "eve"),
            send("eve", &["bob"]),
            block("eve", "bob"),
            unblock("bob", "eve"),
            send("eve", &["bob"]),
            send("bob", &["eve"]),
        ])
        .await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    assert_eq!(fixture.counts("bob").await, (1, 1, 2));
    assert_eq!(fixture.counts("eve").await, (0, 0, 3));
    assert_eq!(blocked(fixture, "bob").await, [""; 0]);
    assert_eq!(blocked(fixture, "eve").await, ["bob"]);
}

async fn a_block_precedes_the_first_message_of_a_profile(fixture: &StoreFixture) {
    for _ in 0..2 {
        fixture.done(block("bob", "stranger")).await;
    }
    assert_eq!(numbers(fixture, "stranger", &["bob"]).await, (1, 1));
    assert_eq!(fixture.counts("bob").await, (0, 0, 0));
    for _ in 0..2 {
        fixture.done(unblock("bob", "stranger")).await;
    }
    fixture.done(settle("bob")).await;
    assert_eq!(fixture.counts("bob").await, (0, 0, 0));
}

async fn blocks_are_listed_in_pages_by_profile(fixture: &StoreFixture) {
    for other in ["cid", "Zoe", "ann"] {
        fixture.done(block("bob", other)).await;
    }
    assert_eq!(blocked(fixture, "bob").await, ["Zoe", "ann", "cid"]);
    assert_eq!(blocked(fixture, "nobody").await, [""; 0]);
    let page = async |after: Option<ProfileId>| {
        let (app, bob) = (app(), profile("bob"));
        let page = fixture.store.blocks(&app, &bob, after.as_ref(), 2).await;
        let page = page.expect("blocks").into_iter();
        page.map(|it| it.profile_id).collect::<Vec<_>>()
    };
    assert_eq!(page(None).await, [profile("Zoe"), profile("ann")]);
    assert_eq!(page(Some(profile("ann"))).await, [profile("cid")]);
    let blocks = fixture.store.blocks(&app(), &profile("bob"), None, 1).await;
    let since = blocks.expect("blocks")[0].create_ms;
    assert_eq!(since, fixture.clock().now_ms());
}

async fn concurrent_blocks_and_sends_keep_every_count(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let actions = (0..60).map(|number| match number % 4 {
        0 => block("bob", "eve"),
        1 => unblock("bob", "eve"),
        2 => send("eve", &["bob", "ann"]),
        _ => send("bob", &["eve", "ann"]),
    });
    let app = app();
    let run = actions
        .enumerate()
        .map(|(number, action): (usize, Action)| {
            let store = if number % 3 == 0 {
                &replica
            } else {
                &fixture.store
            };
            store.run(&app, operation(action))
        });
    let verdicts = futures::future::join_all(run).await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    assert_eq!(fixture.counts("ann").await, (30, 30, 0));
    // The recount after the test finds every counter right.
    replica.close().await;
}
