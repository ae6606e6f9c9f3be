//! Quotas of what is kept of an app: bytes of contents, whoever has sent them, and mailboxes.

use domain::limits::{EXPIRED_KEPT_MS, MINUTE_MS, USAGE_DELAY_MS};
use domain::operation::EraseProfile;
use domain::{Action, Audience, KeptQuota, Msgbox, Outcome, Policy, Quotas, Refusal};
use futures::future::join_all;
use storage::Drift;
use support::drift::recount_kept;
use support::{however_gathered, on_each_database};

use super::builders::{
    announce, app, block, bulk, bytes, clear, edit, from_user, lasting, open, operation, other_app,
    profile, recall, remove, send, sent, update,
};
use super::expiry::sweep_all;
use super::fixture::{BatchStore, StoreFixture};
use super::segments::{all_steps, launch, launched, take_in};

mod each_gathering {
    use super::*;

    however_gathered![the_usage_of_an_app_equals_its_rows,];
}

mod each_database {
    use super::*;

    on_each_database![
        an_app_keeps_no_more_bytes_than_its_quota,
        an_app_has_no_more_mailboxes_than_its_quota,
        an_app_that_exists_is_counted_when_a_quota_asks_for_it,
        a_count_misses_no_change_beside_it,
        an_app_without_a_quota_is_not_counted,
        a_recount_finds_and_repairs_kept_bytes_and_usage,
    ];
}

const MIB: i64 = 1024 * 1024;
/// Bytes of a content of which an app of one MiB keeps 34.
const LARGE: usize = 30_000;
const BYTES: Result<Outcome, Refusal> = Err(Refusal::TooMuchKept(KeptQuota::AppKeptMib));
const MAILBOXES: Result<Outcome, Refusal> = Err(Refusal::TooMuchKept(KeptQuota::AppMailboxes));

fn limited(app_kept_mib: u32, app_mailboxes: u32) -> Policy {
    Policy {
        quotas: Quotas {
            app_kept_mib,
            app_mailboxes,
            ..Quotas::NO_LIMITS
        },
        ..Policy::default()
    }
}

/// Bytes and mailboxes of an app, as they are counted.
async fn usage(fixture: &StoreFixture) -> (i64, i64) {
    let of = async |column: &str| {
        let sum = format!("SELECT CAST(coalesce(sum({column}), 0) AS bigint) FROM app_usage");
        fixture.raw().await.number(&sum).await
    };
    (of("bytes").await, of("mailboxes").await)
}

async fn run(store: &BatchStore, action: Action) -> Result<Outcome, Refusal> {
    store.run(&app(), operation(action)).await
}

/// A message of [`LARGE`] bytes.
fn large(from: &str, to: &[&str]) -> Action {
    from_user(from, to, bytes(LARGE)).into()
}

async fn the_usage_of_an_app_equals_its_rows(fixture: &StoreFixture) {
    let store = fixture.store_with(limited(1_000, 1_000)).await;
    let act = async |action: Action| run(&store, action).await.expect("it works");
    let brief = |from: &str, to: &[&str]| {
        Action::SendMessage(lasting(from_user(from, to, bytes(100)), MINUTE_MS))
    };
    let first = sent(Ok(act(brief("ann", &["bob", "cid"])).await));
    let second = sent(Ok(act(brief("bob", &["ann"])).await));
    let news = sent(Ok(act(announce(&["dora"])).await));
    let news_bytes = usage(fixture).await.0 - 200;
    assert!(news_bytes > 0);
    assert_eq!(usage(fixture).await.1, 4);
    act(edit("ann", first, "hello")).await;
    act(update(news, "hi", None)).await;
    assert_eq!(usage(fixture).await.0, 107);
    let to_all = sent(Ok(act(bulk(Audience::Everyone, None)).await));
    let recipients = take_in(&store, &app(), vec![profile("eve"), profile("ann")]).await;
    let (_, segment) = launched(run(&store, launch(&recipients, None)).await);
    all_steps(&store).await;
    assert_eq!(usage(fixture).await.1, 5);
    act(remove(&[news])).await;
    act(recall("bob", Msgbox::Sent, &[second])).await;
    act(remove(&[to_all, segment])).await;
    assert_eq!(usage(fixture).await, (5, 5));
    // A stranger's mailbox goes with its last entry.
    act(clear("cid", Msgbox::Sent)).await;
    let letter = sent(Ok(act(send("ann", &["x"])).await));
    assert_eq!(usage(fixture).await, (10, 6));
    act(remove(&[letter])).await;
    assert_eq!(usage(fixture).await, (5, 5));
    let verdicts = store
        .batch(
            [send("ann", &["y"]), send("y", &["z"]), open("w")]
                .map(|action| (app(), operation(action)))
                .into(),
        )
        .await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    assert_eq!(usage(fixture).await, (15, 8));
    assert_eq!(recount_kept(&*store, false).await, []);
    fixture.clock().advance(MINUTE_MS + EXPIRED_KEPT_MS + 1);
    sweep_all(&store).await;
    assert_eq!(recount_kept(&*store, false).await, []);
    assert_eq!(usage(fixture).await.0, 10);
    act(EraseProfile {
        profile_id: profile("y"),
    }
    .into())
    .await;
    fixture.clock().advance(3 * MINUTE_MS);
    all_steps(&store).await;
    assert_eq!(usage(fixture).await, (5, 6));
    assert_eq!(recount_kept(&*store, false).await, []);
    store.close().await;
}

async fn an_app_keeps_no_more_bytes_than_its_quota(fixture: &StoreFixture) {
    let store = fixture.store_with(limited(1, 0)).await;
    let mut ids = Vec::new();
    for from in ["ann", "bob"].iter().cycle().take(34) {
        ids.push(sent(run(&store, large(from, &["cid"])).await));
    }
    assert_eq!(run(&store, large("dora", &["cid"])).await, BYTES);
    let audience = Audience::Everyone;
    // What is left is for small ones, also of the app.
    let _ = sent(run(&store, announce(&["cid"])).await);
    let rest = usize::try_from(MIB - usage(fixture).await.0).expect("some room");
    let filling = from_user("ann", &["bob"], bytes(rest));
    let filling = sent(run(&store, filling.into()).await);
    assert_eq!(usage(fixture).await.0, MIB);
    for refused in [
        send("ann", &["bob"]),
        announce(&["bob"]),
        bulk(audience, None),
        edit("ann", filling, &"x".repeat(LARGE + 1)),
        update(ids[0], &"x".repeat(LARGE + 1), None),
    ] {
        assert_eq!(run(&store, refused).await, BYTES);
    }
    let recipients = take_in(&store, &app(), vec![profile("ann")]).await;
    assert_eq!(run(&store, launch(&recipients, None)).await, BYTES);
    // Another app has its own, and what goes makes room.
    let other = other_app("other");
    let theirs = store.run(&other, operation(large("ann", &["bob"])));
    let _ = sent(theirs.await);
    run(&store, edit("ann", filling, "small"))
        .await
        .expect("an edit");
    run(&store, recall("bob", Msgbox::Sent, &ids[1..2]))
        .await
        .expect("a recall");
    let _ = sent(run(&store, large("dora", &["cid"])).await);
    store.close().await;
}

async fn an_app_has_no_more_mailboxes_than_its_quota(fixture: &StoreFixture) {
    let store = fixture.store_with(limited(0, 4)).await;
    let _ = sent(run(&store, send("ann", &["bob", "cid"])).await);
    assert_eq!(run(&store, send("ann", &["x", "y"])).await, MAILBOXES);
    assert_eq!(run(&store, send("dora", &["x"])).await, MAILBOXES);
    let last = sent(run(&store, send("ann", &["x"])).await);
    for refused in [
        send("ann", &["y"]),
        send("y", &["ann"]),
        announce(&["y"]),
        open("y"),
        block("y", "ann"),
    ] {
        assert_eq!(run(&store, refused).await, MAILBOXES);
    }
    // It has nothing to clear, and is not kept for it.
    run(&store, clear("y", Msgbox::Inbox))
        .await
        .expect("nothing");
    let recipients = take_in(&store, &app(), ["ann", "y", "z"].map(profile).into()).await;
    let (job, _) = launched(run(&store, launch(&recipients, None)).await);
    all_steps(&store).await;
    let report = store.send_job(&app(), job.uuid()).await.expect("a job");
    let counts = report.expect("a job").counts;
    assert_eq!((counts.delivered, counts.full), (1, 2));
    assert_eq!(usage(fixture).await.1, 4);
    for known in [send("ann", &["bob", "x"]), open("bob"), block("cid", "ann")] {
        run(&store, known).await.expect("a known profile");
    }
    // One of a batch fits.
    run(&store, remove(&[last])).await.expect("a deletion");
    let again = run(&store, clear("x", Msgbox::Inbox)).await;
    again.expect("a clearing");
    let in_use = usage(fixture).await.1;
    assert!(in_use <= 4, "{in_use}");
    assert_eq!(recount_kept(&*store, false).await, []);
    store.close().await;
}

/// Steps of the count of an app.
async fn counted(fixture: &StoreFixture, store: &BatchStore) {
    fixture.clock().advance(USAGE_DELAY_MS);
    while store.run_jobs().await.expect("a step") {}
}

async fn an_app_that_exists_is_counted_when_a_quota_asks_for_it(fixture: &StoreFixture) {
    let before = fixture.store_with(Policy::default()).await;
    for _ in 0..40 {
        let _ = sent(run(&before, large("ann", &["bob"])).await);
    }
    let store = fixture.store_with(limited(1, 4)).await;
    // Not yet in force: the first send asks for the count.
    let _ = sent(run(&store, large("ann", &["bob"])).await);
    let _ = sent(run(&store, large("ann", &["cid"])).await);
    counted(fixture, &store).await;
    assert_eq!(recount_kept(&*store, false).await, []);
    assert_eq!(usage(fixture).await, (42 * 30_000, 3));
    assert_eq!(run(&store, send("ann", &["bob"])).await, BYTES);
    // Replicas without the quota go on counting.
    let _ = sent(run(&before, send("ann", &["bob"])).await);
    assert_eq!(usage(fixture).await, (42 * 30_000 + 5, 3));
    for store in [store, before] {
        store.close().await;
    }
}

async fn a_count_misses_no_change_beside_it(fixture: &StoreFixture) {
    let mut ids = Vec::new();
    let before = fixture.store_with(Policy::default()).await;
    for _ in 0..30 {
        ids.push(sent(run(&before, send("ann", &["bob", "x"])).await));
    }
    let store = fixture.store_with(limited(1_000, 1_000)).await;
    let _ = sent(run(&store, send("ann", &["bob"])).await);
    fixture.clock().advance(USAGE_DELAY_MS);
    let replica = fixture.store_with(limited(1_000, 1_000)).await;
    let count = async |store: &BatchStore| {
        while store.run_jobs().await.expect("a step") {}
    };
    let changes = ids.chunks(3).map(|part| {
        let (store, name) = (store.clone(), format!("n{}", part[0].uuid()));
        async move {
            run(&store, remove(&part[..2])).await.expect("a deletion");
            let _ = sent(run(&store, send("ann", &[&name])).await);
        }
    });
    futures::future::join3(count(&store), count(&replica), join_all(changes)).await;
    assert_eq!(recount_kept(&*store, false).await, []);
    assert_eq!(usage(fixture).await, ((30 + 1 - 20 + 10) * 5, 3 + 10));
    for store in [store, replica, before] {
        store.close().await;
    }
}

async fn an_app_without_a_quota_is_not_counted(fixture: &StoreFixture) {
    let store = fixture.store_with(Policy::default()).await;
    let _ = sent(run(&store, send("ann", &["bob"])).await);
    counted(fixture, &store).await;
    store.close().await;
    let raw = fixture.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM app_usage").await, 0);
    let states = raw.number("SELECT CAST(sum(usage_state) AS bigint) FROM app");
    assert_eq!(states.await, 0);
}

async fn a_recount_finds_and_repairs_kept_bytes_and_usage(fixture: &StoreFixture) {
    let store = fixture.store_with(limited(1_000, 1_000)).await;
    for to in ["bob", "cid"] {
        let _ = sent(run(&store, send("ann", &[to])).await);
    }
    let raw = fixture.raw().await;
    let drift = |profile: Option<&str>, field, stored, counted, repaired| Drift {
        app: "app".to_owned(),
        profile: profile.map(super::builders::profile),
        field,
        stored,
        counted,
        repaired,
    };
    let tampering = [
        (
            "UPDATE mailbox SET kept_bytes = 9 WHERE profile_id = 'ann'",
            Some("ann"),
            "kept_bytes",
            9,
            10,
        ),
        (
            "UPDATE mailbox SET kept_bytes = 9 WHERE profile_id = 'cid'",
            Some("cid"),
            "kept_bytes",
            9,
            0,
        ),
        (
            "INSERT INTO app_usage (app_no, slot, bytes, mailboxes) VALUES (1, 15, 7, 0)",
            None,
            "app_usage.bytes",
            17,
            10,
        ),
        (
            "UPDATE app_usage SET mailboxes = mailboxes - 1 WHERE slot = 15",
            None,
            "app_usage.mailboxes",
            2,
            3,
        ),
    ];
    for (statement, profile, field, stored, counted) in tampering {
        raw.run(statement).await;
        for repaired in [false, true] {
            let found = recount_kept(&*store, repaired).await;
            assert_eq!(found, [drift(profile, field, stored, counted, repaired)]);
        }
        assert_eq!(recount_kept(&*store, false).await, []);
    }
    store.close().await;
}
