//! Erasure of profiles from the log.

use super::*;

on_each_database![
    an_erased_profile_leaves_a_log_that_verifies_and_no_bytes,
    records_of_other_profiles_and_apps_survive_an_erasure,
];

/// Erases a profile in parts. Returns their number.
async fn erase(store: &BatchStore, app: &AppId, name: &str) -> usize {
    let (mut after, mut parts) = (None, 0);
    loop {
        let part = store.erase_audit_ids(app, &profile(name), after).await;
        after = part.expect("a part");
        parts += 1;
        if after.is_none() {
            return parts;
        }
    }
}

async fn an_erased_profile_leaves_a_log_that_verifies_and_no_bytes(fixture: &StoreFixture) {
    let canary = "kanarienvogel";
    for number in 0..450 {
        let to = if number % 3 == 0 { canary } else { "bob" };
        change(fixture, announce(&[to])).await.expect("a message");
    }
    let before = records(fixture).await;
    let raw = fixture.raw().await;
    let hex = domain::text::hexadecimal(canary.as_bytes());
    let found = format!("SELECT count(*) FROM audit_id WHERE lower(hex(ids)) LIKE '%{hex}%'");
    assert_eq!(raw.number(&found).await, 150);
    assert!(erase(&fixture.store, &app(), canary).await > 2);
    assert_eq!(raw.number(&found).await, 0);

    let after = records(fixture).await;
    assert_eq!(after.len(), before.len());
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!((before.link, &before.record), (after.link, &after.record));
        assert_eq!(after.ids.erased(), usize::from(number % 3 == 0));
    }
}

async fn records_of_other_profiles_and_apps_survive_an_erasure(fixture: &StoreFixture) {
    let other = other_app("other");
    for app in [&app(), &other] {
        let sends = operation(announce(&["ann", "bob"]));
        let sent = change_in(&fixture.store, app, sends).await;
        sent.expect("a message");
    }
    chain(fixture, &fixture.store).await;
    erase(&fixture.store, &app(), "ann").await;
    erase(&fixture.store, &app(), "cid").await;
    let [erased, whole] = [
        verified(&fixture.store, &app()).await,
        verified(&fixture.store, &other).await,
    ];
    assert_eq!((erased.1, whole.1), (vec![], vec![]));
    let bob = AuditId::Profile(profile("bob"));
    assert!(kept(&erased.0[0]).contains(&bob));
    assert_eq!((erased.0[0].ids.erased(), whole.0[0].ids.erased()), (1, 0));
    // The subject of the calls is a profile, too.
    erase(&fixture.store, &app(), SUBJECT).await;
    let (entries, faults) = verified(&fixture.store, &app()).await;
    assert_eq!((entries[0].ids.erased(), faults), (2, vec![]));
}
