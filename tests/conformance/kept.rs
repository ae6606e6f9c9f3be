//! Quotas of storage of a user: bytes of contents, and mailboxes that nobody uses.

use domain::limits::{EXPIRED_KEPT_MS, HOUR_MS, MINUTE_MS};
use domain::operation::ExpireMessages;
use domain::{Action, MessageId, Msgbox, Outcome, Policy, Quotas, Refusal};
use support::{however_gathered, on_each_database};

use super::builders::{
    announce, app, bytes, delete, edit, from_user, lasting, open, operation, recall, remove, send,
    sent, update,
};
use super::expiry::sweep_all;
use super::fixture::{BatchStore, StoreFixture};

mod each_gathering {
    use super::*;

    however_gathered![the_kept_bytes_of_a_profile_equal_those_of_its_messages,];
}

mod each_database {
    use super::*;

    on_each_database![
        two_replicas_forget_each_message_once,
        a_user_at_quota_for_an_hour_keeps_no_more_than_the_quota,
    ];
}

/// Mailboxes whose counter differs from what is stored.
const DRIFT: &str = "SELECT count(*) FROM mailbox b WHERE b.kept_bytes <> (
    SELECT coalesce(sum(m.size_bytes), 0) FROM message m
    WHERE m.app_no = b.app_no AND m.sender_profile_id = b.profile_id)";

async fn assert_no_drift(fixture: &StoreFixture) {
    assert_eq!(fixture.raw().await.number(DRIFT).await, 0);
}

async fn kept_bytes(fixture: &StoreFixture, owner: &str) -> i64 {
    let of_owner = format!("SELECT kept_bytes FROM mailbox WHERE profile_id = '{owner}'");
    fixture.raw().await.number(&of_owner).await
}

/// A message of that many bytes that lives for a minute.
fn brief(from: &str, to: &[&str], size: usize) -> Action {
    Action::SendMessage(lasting(from_user(from, to, bytes(size)), MINUTE_MS))
}

async fn the_kept_bytes_of_a_profile_equal_those_of_its_messages(fixture: &StoreFixture) {
    let mut ids: Vec<MessageId> = Vec::new();
    for size in [100, 200, 300, 400] {
        ids.push(sent(fixture.act(brief("ann", &["bob", "x"], size)).await));
    }
    fixture.done(announce(&["ann"])).await;
    assert_eq!(kept_bytes(fixture, "ann").await, 1_000);
    fixture.done(edit("ann", ids[0], "hello")).await;
    fixture.done(update(ids[1], "hi", None)).await;
    assert_eq!(kept_bytes(fixture, "ann").await, 707);
    fixture.done(recall("ann", Msgbox::Sent, &ids[..1])).await;
    fixture.done(remove(&ids[1..2])).await;
    // The own copy goes, the message stays.
    fixture.done(delete("ann", Msgbox::Sent, &ids[2..])).await;
    assert_eq!(kept_bytes(fixture, "ann").await, 700);
    let verdicts = fixture
        .batch([
            brief("ann", &["bob"], 10),
            brief("bob", &["ann"], 20),
            send("ann", &["bob"]),
        ])
        .await;
    assert!(verdicts.iter().all(Result::is_ok));
    assert_no_drift(fixture).await;
    fixture.clock().advance(MINUTE_MS + EXPIRED_KEPT_MS + 1);
    sweep_all(&fixture.store).await;
    assert_eq!(kept_bytes(fixture, "ann").await, 5);
    assert_eq!(kept_bytes(fixture, "bob").await, 0);
    assert_no_drift(fixture).await;
}

async fn two_replicas_forget_each_message_once(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let mut message_ids = Vec::new();
    for _ in 0..20 {
        message_ids.push(sent(fixture.act(brief("ann", &["bob"], 50)).await));
    }
    fixture.done(send("ann", &["bob"])).await;
    fixture.clock().advance(MINUTE_MS + EXPIRED_KEPT_MS + 1);
    for owner in ["ann", "bob"] {
        fixture.counts(owner).await;
    }
    let app = app();
    let forget = |store: &BatchStore| {
        let message_ids = message_ids.clone();
        let operation = operation(Action::from(ExpireMessages { message_ids }));
        let (store, app) = (store.clone(), app.clone());
        async move { store.run(&app, operation).await }
    };
    let send = fixture.act(send("ann", &["bob"]));
    let (here, there, letter) =
        futures::future::join3(forget(&fixture.store), forget(&replica), send).await;
    assert_eq!([here, there], [Ok(Outcome::Done), Ok(Outcome::Done)]);
    sent(letter);
    sweep_all(&fixture.store).await;
    assert_eq!(kept_bytes(fixture, "ann").await, 2 * 5);
    assert_no_drift(fixture).await;
    replica.close().await;
}

const MIB: i64 = 1024 * 1024;
/// Mailboxes that a user may create.
const MAILBOXES: u32 = 50;

fn bounded() -> Policy {
    Policy {
        max_expiry_ms: 10 * MINUTE_MS,
        quotas: Quotas {
            profile_kept_mib: 1,
            profile_unused_mailboxes: MAILBOXES,
            ..Quotas::NO_LIMITS
        },
        ..Policy::default()
    }
}

/// Proof of what one user can keep: it sends as much as it may to ever new names.
async fn a_user_at_quota_for_an_hour_keeps_no_more_than_the_quota(fixture: &StoreFixture) {
    let store = fixture.store_with(bounded()).await;
    let raw = fixture.raw().await;
    fixture.done(open("eve")).await;
    let (mut taken, mut refused) = (0, 0);
    let end = fixture.clock().now_ms().after(HOUR_MS);
    let mut step = 0;
    while fixture.clock().now_ms() < end {
        for part in 0..3 {
            let names: Vec<String> = (0..10).map(|it| format!("{step}-{part}-{it}")).collect();
            let to: Vec<&str> = names.iter().map(String::as_str).collect();
            let letter = from_user("eve", &to, bytes(30_000));
            let letter = lasting(letter, 10 * MINUTE_MS);
            let many = store
                .run(&app(), operation(Action::SendMessage(letter)))
                .await;
            let alone = lasting(from_user("eve", &["eve"], bytes(30_000)), 5 * MINUTE_MS);
            let alone = store
                .run(&app(), operation(Action::SendMessage(alone)))
                .await;
            for verdict in [many, alone] {
                match verdict {
                    Ok(_) => taken += 1,
                    Err(Refusal::TooMuchKept(_)) => refused += 1,
                    Err(refusal) => panic!("{refusal:?}"),
                }
            }
        }
        fixture.clock().advance(30 * 1_000);
        sweep_all(&store).await;
        let bytes = raw
            .number("SELECT coalesce(sum(size_bytes), 0) FROM message")
            .await;
        assert!(bytes <= MIB, "{bytes}");
        let mailboxes = raw.number("SELECT count(*) FROM mailbox").await;
        assert!(mailboxes <= i64::from(MAILBOXES) + 1, "{mailboxes}");
        let entries = raw.number("SELECT count(*) FROM msgbox").await;
        // At most 10 recipients and the sender for each message that fits.
        assert!(entries <= 11 * (MIB / 30_000), "{entries}");
        step += 1;
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
    fixture.clock().advance(HOUR_MS);
    sweep_all(&store).await;
    for (table, rows) in [("message", 0), ("msgbox", 0), ("mailbox", 1)] {
        let count = raw.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, rows, "{table}");
    }
    assert_eq!(kept_bytes(fixture, "eve").await, 0);
    store.close().await;
}
