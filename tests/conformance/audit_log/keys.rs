//! Keys: a new one replaces another, on some replicas sooner than on others.

use domain::limits::{AUDIT_KEY_OVERLAP_MS, HOUR_MS};

use super::*;

on_each_database![
    a_new_key_goes_on_with_the_chain_of_the_previous_one,
    a_new_key_seals_the_heads_of_idle_chains,
    replicas_with_the_previous_and_the_new_key_make_one_chain,
    a_record_sealed_with_a_replaced_key_is_found,
    a_chain_that_the_previous_key_has_rolled_back_is_found,
    a_key_that_the_chain_does_not_know_changes_nothing,
];

/// Keys of a test: the first one is that of the store.
fn key(number: u8) -> AuditKey {
    AuditKey::new([AUDIT_SECRET[0] + number; 32])
}

/// A store whose key replaces another.
async fn replica(fixture: &StoreFixture, current: u8, previous: Option<u8>) -> BatchStore {
    let mut options: Options = fixture.test.options.clone();
    options.audit.key = Some(key(current));
    options.audit.previous_key = previous.map(key);
    fixture.store_of(&options).await
}

/// Makes changes in an app, and numbers their records by a replica.
async fn grow(fixture: &StoreFixture, store: &BatchStore, app: &AppId, count: usize) {
    for _ in 0..count {
        let sent = change_in(store, app, operation(announce(&["ann"])));
        sent.await.expect("a message");
    }
    chain(fixture, store).await;
}

/// Number of records, and faults, with keys of which the first is the current one.
async fn found(fixture: &StoreFixture, keys: &[u8]) -> (usize, Vec<AuditFault>) {
    let keys: Vec<AuditKey> = keys.iter().copied().map(key).collect();
    let (entries, faults) = verified_with(&fixture.store, &app(), &keys).await;
    (entries.len(), faults)
}

async fn a_new_key_goes_on_with_the_chain_of_the_previous_one(fixture: &StoreFixture) {
    use AuditFault::{Head, Link, Record};
    let app = app();
    grow(fixture, &fixture.store, &app, 2).await;
    let second = replica(fixture, 1, Some(0)).await;
    grow(fixture, &second, &app, 2).await;
    let third = replica(fixture, 2, Some(1)).await;
    grow(fixture, &third, &app, 2).await;
    assert_eq!(found(fixture, &[2, 1, 0]).await, (6, vec![]));
    // Without the first key, or the last one.
    let faults = vec![Link(1), Record(1), Link(2), Record(2)];
    assert_eq!(found(fixture, &[2, 1]).await, (6, faults));
    let faults = vec![Link(5), Record(5), Link(6), Record(6), Head];
    assert_eq!(found(fixture, &[1, 0]).await, (6, faults));
    let heads = fixture.store.audit_head_keys().await;
    assert_eq!(heads.expect("keys"), [key(2).id()]);
    for store in [second, third] {
        store.close().await;
    }
}

async fn a_new_key_seals_the_heads_of_idle_chains(fixture: &StoreFixture) {
    let apps = ["a", "b", "c"].map(other_app);
    for app in &apps {
        grow(fixture, &fixture.store, app, 1).await;
    }
    let second = replica(fixture, 1, Some(0)).await;
    chain(fixture, &second).await;
    let heads = second.audit_head_keys().await;
    assert_eq!(heads.expect("keys"), [key(1).id()]);
    for app in &apps {
        let (entries, faults) = verified_with(&second, app, &[key(1), key(0)]).await;
        assert_eq!((entries.len(), faults), (1, vec![]));
    }
    second.close().await;
}

async fn replicas_with_the_previous_and_the_new_key_make_one_chain(fixture: &StoreFixture) {
    let (first, app) = (&fixture.store, app());
    let second = replica(fixture, 1, Some(0)).await;
    grow(fixture, first, &app, 3).await;
    // A record of the new key, numbered under the previous one.
    let sent = change_in(&second, &app, operation(announce(&["ann"])));
    sent.await.expect("a message");
    chain(fixture, first).await;
    assert_eq!(found(fixture, &[0, 1]).await, (4, vec![]));
    for _ in 0..3 {
        grow(fixture, &second, &app, 2).await;
        fixture.clock().advance(HOUR_MS);
        // Only the replica with the new key numbers what this one writes.
        let before = found(fixture, &[1, 0]).await.0;
        grow(fixture, first, &app, 2).await;
        assert_eq!(found(fixture, &[1, 0]).await, (before, vec![]));
    }
    chain(fixture, &second).await;
    assert_eq!(found(fixture, &[1, 0]).await, (16, vec![]));
    second.close().await;
}

async fn a_record_sealed_with_a_replaced_key_is_found(fixture: &StoreFixture) {
    let (first, app) = (&fixture.store, app());
    let second = replica(fixture, 1, Some(0)).await;
    grow(fixture, first, &app, 1).await;
    grow(fixture, &second, &app, 1).await;
    fixture.clock().advance(AUDIT_KEY_OVERLAP_MS - HOUR_MS);
    grow(fixture, &second, &app, 1).await;
    grow(fixture, first, &app, 1).await;
    grow(fixture, &second, &app, 200).await;
    assert_eq!(found(fixture, &[1, 0]).await, (204, vec![]));

    fixture.clock().advance(2 * HOUR_MS);
    grow(fixture, &second, &app, 200).await;
    grow(fixture, first, &app, 1).await;
    grow(fixture, &second, &app, 1).await;
    let faults = vec![AuditFault::Replaced(405)];
    assert_eq!(found(fixture, &[1, 0]).await, (406, faults));
    second.close().await;
}

async fn a_chain_that_the_previous_key_has_rolled_back_is_found(fixture: &StoreFixture) {
    let app = app();
    let raw = fixture.raw().await;
    grow(fixture, &fixture.store, &app, 2).await;
    raw.run("CREATE TABLE kept AS SELECT * FROM audit_head")
        .await;
    let second = replica(fixture, 1, Some(0)).await;
    grow(fixture, &second, &app, 2).await;
    second.close().await;
    // The thief of the previous key has a head that it has sealed.
    raw.run(
        "DELETE FROM audit WHERE audit_no > 2;
         DELETE FROM audit_head;
         INSERT INTO audit_head SELECT * FROM kept",
    )
    .await;
    let second = replica(fixture, 1, None).await;
    grow(fixture, &second, &app, 2).await;
    let faults = vec![AuditFault::Head];
    assert_eq!(found(fixture, &[1, 0]).await, (2, faults));
    second.close().await;
}

async fn a_key_that_the_chain_does_not_know_changes_nothing(fixture: &StoreFixture) {
    let app = app();
    grow(fixture, &fixture.store, &app, 2).await;
    let other = replica(fixture, 1, None).await;
    fixture.clock().advance(2 * HOUR_MS);
    grow(fixture, &other, &app, 1).await;
    let heads = other.audit_head_keys().await;
    assert_eq!(heads.expect("keys"), [key(0).id()]);
    assert_eq!(found(fixture, &[0]).await, (2, vec![]));
    chain(fixture, &fixture.store).await;
    assert_eq!(found(fixture, &[0]).await, (3, vec![AuditFault::Record(3)]));
    other.close().await;
}
