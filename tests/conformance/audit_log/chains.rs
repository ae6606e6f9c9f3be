//! Chains: numbers without gaps, faults that are found, and trimming.

use domain::audit::AuditKey;
use domain::limits::{AUDIT_HEAD_MS, DAY_MS, MINUTE_MS};
use futures::future::join_all;

use super::*;

on_each_database![
    replicas_number_all_records_in_one_chain,
    records_of_each_app_are_a_chain_of_their_own,
    a_changed_removed_inserted_or_moved_record_is_found,
    a_record_that_was_changed_before_it_was_numbered_is_found,
    a_key_of_another_place_verifies_nothing,
    old_records_are_trimmed_and_the_rest_still_verifies,
    a_log_that_was_trimmed_too_early_is_found,
    a_changed_head_is_found_after_the_chain_has_grown,
];

const DAYS: i64 = 365;

/// Makes changes in an app.
async fn change_often(store: &BatchStore, app: &AppId, count: usize) {
    for _ in 0..count {
        let sent = change_in(store, app, operation(announce(&["ann"])));
        sent.await.expect("a message");
    }
}

fn numbers(entries: &[AuditEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.link.no).collect()
}

async fn replicas_number_all_records_in_one_chain(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let app = app();
    for round in 0..8 {
        fixture.clock().advance(2_000);
        let stores = [&fixture.store, &replica];
        let writes = stores.map(|store| change_often(store, &app, 5 + round));
        let steps = [&fixture.store, &replica, &fixture.store, &replica];
        let steps = steps.map(|store| store.run_jobs());
        let (_, steps) = tokio::join!(join_all(writes), join_all(steps));
        for step in steps {
            // Of two steps at once on the same chain, the database may refuse one.
            let _ = step;
        }
    }
    fixture.clock().advance(2_000);
    chain(fixture, &replica).await;
    let (entries, faults) = verified(&fixture.store, &app).await;
    assert_eq!(faults, []);
    let count = (0..8).map(|round| 2 * (5 + round)).sum();
    assert_eq!(numbers(&entries), (1..=count).collect::<Vec<i64>>());
    replica.close().await;
}

async fn records_of_each_app_are_a_chain_of_their_own(fixture: &StoreFixture) {
    let apps = ["a", "b", "c"].map(other_app);
    for round in 0..3 {
        for app in &apps {
            change_often(&fixture.store, app, 1 + round).await;
        }
        chain(fixture, &fixture.store).await;
    }
    assert_eq!(fixture.store.audited_apps(None).await.expect("apps"), apps);
    let after = fixture.store.audited_apps(Some(apps[0].clone())).await;
    assert_eq!(after.expect("apps"), apps[1..]);
    for app in &apps {
        let (entries, faults) = verified(&fixture.store, app).await;
        assert_eq!((numbers(&entries), faults), ((1..=6).collect(), vec![]));
    }
}

async fn a_changed_removed_inserted_or_moved_record_is_found(fixture: &StoreFixture) {
    use AuditFault::{End, Head, Ids, Link, Missing, Record};
    let copied = "record_id, app_no, time_ms, affected, id_count, call_id, kind, method, issuer, \
                  key_id, request_hash, ids_root, seal, mac";
    let fresh = copied.replacen("record_id", "call_id", 1);
    let insert = format!(
        "INSERT INTO audit (audit_no, {copied}) SELECT 7, {fresh} FROM audit WHERE audit_no = 6 AND {{it}}"
    );
    let tamperings: [(&str, Vec<AuditFault>); 12] = [
        (
            "UPDATE audit SET method = 'other' WHERE audit_no = 3 AND {it}",
            vec![Record(3)],
        ),
        (
            "UPDATE audit SET time_ms = time_ms + 1 WHERE audit_no = 1 AND {it}",
            vec![Record(1)],
        ),
        (
            "UPDATE audit SET mac = seal WHERE audit_no = 4 AND {it}",
            vec![Link(4), Link(5)],
        ),
        (
            "DELETE FROM audit WHERE audit_no = 3 AND {it}",
            vec![Missing(3)],
        ),
        (
            "DELETE FROM audit WHERE audit_no = 1 AND {it}",
            vec![Missing(1)],
        ),
        (
            "DELETE FROM audit WHERE audit_no = 6 AND {it}",
            vec![End(6)],
        ),
        (
            "UPDATE audit SET audit_no = 100 WHERE audit_no = 3 AND {it};
             UPDATE audit SET audit_no = 3 WHERE audit_no = 4 AND {it};
             UPDATE audit SET audit_no = 4 WHERE audit_no = 100 AND {it}",
            vec![Link(3), Link(4), Link(5)],
        ),
        (&insert, vec![Link(7), Ids(7), End(6)]),
        (
            "DELETE FROM audit_id WHERE {it} AND record_id =
                 (SELECT record_id FROM audit WHERE audit_no = 2 AND {it})",
            vec![Ids(2)],
        ),
        (
            "UPDATE audit_id SET ids = (SELECT seal FROM audit WHERE audit_no = 2 AND {it})
             WHERE {it} AND record_id = (SELECT record_id FROM audit WHERE audit_no = 2 AND {it})",
            vec![Ids(2)],
        ),
        (
            "DELETE FROM audit WHERE audit_no = 6 AND {it};
             UPDATE audit_head SET last_no = 5, last_mac =
                 (SELECT mac FROM audit WHERE audit_no = 5 AND {it}) WHERE {it}",
            vec![Head],
        ),
        ("DELETE FROM audit_head WHERE {it}", vec![Head]),
    ];
    let raw = fixture.raw().await;
    for (index, (tampering, expected)) in tamperings.into_iter().enumerate() {
        let app = other_app(&format!("app{index}"));
        change_often(&fixture.store, &app, 6).await;
        chain(fixture, &fixture.store).await;
        assert_eq!(verified(&fixture.store, &app).await.1, []);
        let it = format!("app_no = (SELECT app_no FROM app WHERE app_id = '{app}')");
        raw.run(&tampering.replace("{it}", &it)).await;
        let (_, faults) = verified(&fixture.store, &app).await;
        for fault in expected {
            assert!(
                faults.contains(&fault),
                "{fault:?}: {faults:?} of {tampering}"
            );
        }
    }
}

async fn a_record_that_was_changed_before_it_was_numbered_is_found(fixture: &StoreFixture) {
    change_often(&fixture.store, &app(), 3).await;
    let raw = fixture.raw().await;
    raw.run("UPDATE audit SET issuer = 'other' WHERE pos = 2")
        .await;
    chain(fixture, &fixture.store).await;
    let (_, faults) = verified(&fixture.store, &app()).await;
    assert_eq!(faults, [AuditFault::Record(2)]);
}

async fn a_key_of_another_place_verifies_nothing(fixture: &StoreFixture) {
    change_often(&fixture.store, &app(), 2).await;
    chain(fixture, &fixture.store).await;
    let other = [AuditKey::new([9; 32])];
    let (entries, faults) = verified_with(&fixture.store, &app(), &other).await;
    assert_eq!(entries.len(), 2);
    for fault in [AuditFault::Head, AuditFault::Record(1), AuditFault::Link(2)] {
        assert!(faults.contains(&fault), "{fault:?}: {faults:?}");
    }
}

async fn old_records_are_trimmed_and_the_rest_still_verifies(fixture: &StoreFixture) {
    let (store, app) = (&fixture.store, app());
    change_often(store, &app, 300).await;
    chain(fixture, store).await;
    fixture.clock().advance(10 * DAY_MS);
    change_often(store, &app, 5).await;
    chain(fixture, store).await;
    fixture.clock().advance((DAYS - 10) * DAY_MS - MINUTE_MS);
    chain(fixture, store).await;
    assert_eq!(numbers(&verified(store, &app).await.0).len(), 305);

    // A head that was logged while there is nothing to trim is no change.
    fixture.clock().advance(AUDIT_HEAD_MS);
    chain(fixture, store).await;
    let (entries, faults) = verified(store, &app).await;
    assert_eq!(faults, []);
    assert_eq!(numbers(&entries), (301..=305).collect::<Vec<i64>>());
    let raw = fixture.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM audit_id").await, 5);

    fixture.clock().advance(DAYS * DAY_MS);
    chain(fixture, store).await;
    assert_eq!(verified(store, &app).await, (vec![], vec![]));
    change_often(store, &app, 1).await;
    chain(fixture, store).await;
    let (entries, faults) = verified(store, &app).await;
    assert_eq!((numbers(&entries), faults), (vec![306], vec![]));
}

async fn a_log_that_was_trimmed_too_early_is_found(fixture: &StoreFixture) {
    change_often(&fixture.store, &app(), 6).await;
    chain(fixture, &fixture.store).await;
    let raw = fixture.raw().await;
    raw.run(
        "UPDATE audit_head SET anchor_no = 3,
             anchor_mac = (SELECT mac FROM audit WHERE audit_no = 3);
         DELETE FROM audit WHERE audit_no <= 3",
    )
    .await;
    let (entries, faults) = verified(&fixture.store, &app()).await;
    assert_eq!(
        (numbers(&entries), faults),
        (vec![4, 5, 6], vec![AuditFault::Head])
    );
}

async fn a_changed_head_is_found_after_the_chain_has_grown(fixture: &StoreFixture) {
    let (store, app) = (&fixture.store, app());
    change_often(store, &app, 6).await;
    chain(fixture, store).await;
    let raw = fixture.raw().await;
    raw.run(
        "DELETE FROM audit WHERE audit_no > 3;
         UPDATE audit_head SET last_no = 3,
             last_mac = (SELECT mac FROM audit WHERE audit_no = 3)",
    )
    .await;
    for count in 4..7 {
        change_often(store, &app, 1).await;
        fixture.clock().advance(AUDIT_HEAD_MS);
        chain(fixture, store).await;
        let (entries, faults) = verified(store, &app).await;
        assert_eq!(numbers(&entries), (1..=count).collect::<Vec<i64>>());
        assert_eq!(faults, [AuditFault::Head]);
    }
}
