//! Erasure of profiles: nothing of them is left, and what others have stays exact.

use std::sync::Arc;

use bytes::Bytes;
use domain::audit::{AuditKey, AuditKind, AuditedCall};
use domain::limits::{
    APP_ERASURE_DELAY_MS, ERASURE_DELAY_MS, ERASURE_MEMORY_MS, JOB_HELD_MS, REVOCATION_KEPT_MS,
};
use domain::operation::{EraseApp, EraseProfile, RevokeTokens};
use domain::{Action, Audience, Draft, MessageId, Msgbox, Sender};
use storage::{Budget, ErasureReport};
use support::drift::{recount, recount_kept};
use support::on_each_database;
use support::store::{AUDIT_SECRET, DatabaseKind};
use uuid::Uuid;

use super::builders::{
    announce, app, block, bulk, clear, from_user, operation, other_app, profile, send, sent, text,
    update,
};
use super::conversations::create;
use super::fixture::{BatchStore, StoreFixture, in_time};
use super::segments::{all_steps, launch, launched, take_in};

mod lists;

on_each_database![
    the_bytes_of_an_erased_profile_are_gone,
    an_erasure_revokes_tokens_at_once_and_is_done_after_an_hour,
    an_erasure_goes_on_after_any_of_its_steps,
    an_erased_profile_of_another_app_is_another_profile,
    a_profile_that_comes_back_begins_anew,
    each_table_has_a_treatment_by_erasures,
    an_erased_app_leaves_no_row_and_no_number,
    an_app_under_erasure_has_no_drift,
];

/// Treatment of each table by an erasure. A new table needs a line, and a row in
/// [`the_bytes_of_an_erased_profile_are_gone`] if it can name a profile.
const TREATMENTS: [(&str, &str); 21] = [
    ("app", "names no profile"),
    ("app_usage", "names no profile"),
    ("audit", "names no profile but that of the caller's issuer"),
    ("audit_head", "names no profile"),
    ("audit_id", "the profile is erased, its commitment stays"),
    ("block", "blocks of the profile and by it are deleted"),
    ("bulk", "names no profile"),
    ("bulk_tally", "names no profile"),
    ("conversation", "the profile leaves, as its creator, too"),
    (
        "erasure",
        "the profile is erased at the end, its hash stays",
    ),
    ("lease", "names no profile"),
    ("mailbox", "the row is deleted"),
    (
        "message",
        "deleted for all if the profile sent it, else removed from its recipients",
    ),
    (
        "msgbox",
        "entries of the profile, and of the messages that it sent, are deleted",
    ),
    ("msgbox_deleted", "deleted with the mailbox"),
    ("participant", "deleted: the profile leaves"),
    (
        "request",
        "a hash of the caller and ids of messages, for 72 hours",
    ),
    ("revocation", "deleted: the erasure revokes tokens"),
    ("send_chunk", "removed from the recipients"),
    ("send_job", "names no profile"),
    ("server", "names no profile"),
];

/// Profiles to erase, with five canaries each.
const ERASED: usize = 10;

fn canaries(number: usize) -> [String; 5] {
    ["id", "name", "content", "note", "pic"].map(|kind| match kind {
        "pic" => format!("https://canary.test/{number}.png"),
        kind => format!("canary-{kind}-{number}."),
    })
}

fn id(number: usize) -> String {
    canaries(number)[0].clone()
}

/// Message of an erased profile, full of canaries.
fn letter(number: usize, to: &[&str]) -> Action {
    let [id, name, content, note, pic] = canaries(number);
    let sender = Sender {
        profile_id: Some(profile(&id)),
        name,
        pic,
    };
    let mut letter = from_user(&id, to, text(&content));
    letter.draft = Draft {
        notification: Some(Bytes::from(note)),
        ..Draft::new(sender, text(&content))
    };
    letter.into()
}

/// Number of canaries in the rows of all tables; on an embedded database, in its whole file.
async fn found(fixture: &StoreFixture) -> usize {
    let raw = fixture.raw().await;
    let rows = match fixture.test.backend() {
        DatabaseKind::Sqlite => {
            // Rows that moved between pages have left copies.
            raw.run("VACUUM").await;
            assert!(raw.is_quiet().await);
            let path = fixture.test.options.url.strip_prefix("sqlite:");
            std::fs::read(path.expect("a file")).expect("the file")
        }
        DatabaseKind::Postgres => {
            let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
            let mut rows = Vec::new();
            for table in raw.lines(tables).await {
                let text = format!("SELECT t::text FROM {table} t");
                rows.extend(raw.lines(&text).await.concat().into_bytes());
            }
            rows
        }
    };
    let has = |words: &[u8]| rows.windows(words.len()).any(|part| part == words);
    let hex = |words: &str| domain::text::hexadecimal(words.as_bytes()).into_bytes();
    let all = (0..ERASED).flat_map(canaries);
    all.filter(|canary| has(canary.as_bytes()) || has(&hex(canary)))
        .count()
}

async fn erase(fixture: &StoreFixture, name: &str) {
    let profile_id = profile(name);
    fixture.done(EraseProfile { profile_id }.into()).await;
}

async fn report(fixture: &StoreFixture, name: &str) -> Option<ErasureReport> {
    let report = fixture.store.erasure(&app(), &profile(name)).await;
    report.expect("an answer")
}

/// Lets the erasures begin, and runs them to the wait for the memory of replicas.
async fn erased(fixture: &StoreFixture, store: &BatchStore) {
    fixture.clock().advance(ERASURE_DELAY_MS);
    all_steps(store).await;
}

/// An audited call of a subject.
fn call(subject: &str) -> AuditedCall {
    AuditedCall {
        call_id: Uuid::new_v4(),
        method: "postroom.sys.v1.Sys/Test",
        kind: AuditKind::Change,
        subject: Some(subject.into()),
        issuer: "issuer".into(),
        key_id: None,
        request: AuditKey::new(AUDIT_SECRET).request_hasher(),
    }
}

/// Budget of a change that is audited.
fn audited(subject: &str) -> Budget {
    Budget {
        audit: Some(Arc::new(call(subject))),
        ..in_time().into()
    }
}

/// Mail between the profiles to be erased and others. Returns a message to one of them and bob.
async fn furnish(fixture: &StoreFixture) -> MessageId {
    let mut named: Vec<_> = (0..600).map(|it| profile(&format!("b{it:04}"))).collect();
    named.extend((0..ERASED).map(|number| profile(&id(number))));
    let recipients = take_in(&fixture.store, &app(), named).await;
    launched(fixture.act(launch(&recipients, None)).await);
    all_steps(&fixture.store).await;
    fixture.done(bulk(Audience::Everyone, None)).await;
    let shared = fixture.send("ann", &["bob", &id(0)]).await;
    for number in 0..ERASED {
        let id = id(number);
        fixture.done(letter(number, &["ann", "bob", &id])).await;
        fixture.done(letter(number, &["ann"])).await;
        fixture.done(send("bob", &[&id])).await;
        let notice = operation(announce(&[&id]));
        let sent = fixture.store.execute(&app(), notice, audited(&id)).await;
        sent.expect("a message");
        let revocation = RevokeTokens {
            profile_id: profile(&id),
            before: None,
        };
        fixture.done(revocation.into()).await;
        fixture.done(create(&id, &["ann", "bob"])).await;
        fixture.done(create("ann", &[&id])).await;
        fixture.done(block("cid", &id)).await;
        fixture.done(block(&id, "cid")).await;
    }
    fixture.clock().advance(JOB_HELD_MS);
    all_steps(&fixture.store).await;
    // Of one message the other holder has deleted the own copy already.
    fixture.done(clear("bob", Msgbox::Sent)).await;
    shared
}

async fn the_bytes_of_an_erased_profile_are_gone(fixture: &StoreFixture) {
    let shared = furnish(fixture).await;
    assert_eq!(found(fixture).await, 5 * ERASED);
    let before = [fixture.counts("ann").await, fixture.counts("bob").await];
    assert_eq!(before, [(21, 21, 1), (12, 12, 0)]);
    for number in 0..ERASED {
        erase(fixture, &id(number)).await;
    }
    erased(fixture, &fixture.store).await;
    assert_eq!(found(fixture).await, 0);
    let after = [fixture.counts("ann").await, fixture.counts("bob").await];
    assert_eq!(after, [(1, 1, 1), (2, 2, 0)]);
    let messages = fixture.messages(&[shared]).await;
    assert_eq!(messages[0].envelope.to, [profile("bob")]);
    let raw = fixture.raw().await;
    let live = format!(
        "SELECT count(*) FROM message WHERE expire_ms > {}",
        fixture.clock().now_ms().0
    );
    // The shared one, that to everyone and that to the segment.
    assert_eq!(raw.number(&live).await, 3);
    let mailboxes = "SELECT count(*) FROM mailbox WHERE profile_id NOT LIKE 'b0%'";
    assert_eq!(raw.number(mailboxes).await, 3);
    assert_eq!(raw.number("SELECT count(*) FROM block").await, 0);
    // Those of ann alone, and those with bob.
    for (table, rows) in [("conversation", 20), ("participant", 30)] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(raw.number(&count).await, rows, "{table}");
    }
}

async fn an_erasure_revokes_tokens_at_once_and_is_done_after_an_hour(fixture: &StoreFixture) {
    fixture.send("eve", &["bob"]).await;
    assert_eq!(report(fixture, "eve").await, None);
    let requested = fixture.clock().now_ms();
    erase(fixture, "eve").await;
    let before = fixture.store.revoked_before(&app(), &profile("eve")).await;
    assert_eq!(before.expect("a time"), Some(requested));
    all_steps(&fixture.store).await;
    assert_eq!(fixture.counts("bob").await, (1, 1, 0), "calls may be open");
    erased(fixture, &fixture.store).await;
    assert_eq!(fixture.counts("bob").await, (0, 0, 0));
    let mut expected = ErasureReport {
        requested,
        done: None,
    };
    assert_eq!(report(fixture, "eve").await, Some(expected));
    fixture.clock().advance(ERASURE_MEMORY_MS);
    expected.done = Some(fixture.clock().now_ms());
    all_steps(&fixture.store).await;
    assert_eq!(report(fixture, "eve").await, Some(expected));
    let before = fixture.store.revoked_before(&app(), &profile("eve")).await;
    assert_eq!(before.expect("a time"), Some(requested));
    fixture.clock().advance(REVOCATION_KEPT_MS);
    all_steps(&fixture.store).await;
    assert_eq!(report(fixture, "eve").await, None);
}

async fn an_erasure_goes_on_after_any_of_its_steps(fixture: &StoreFixture) {
    for _ in 0..70 {
        fixture.done(send("ann", &["eve"])).await;
        fixture.done(send("eve", &["ann"])).await;
    }
    erase(fixture, "eve").await;
    fixture.clock().advance(ERASURE_DELAY_MS);
    let mut steps = 0;
    loop {
        // Each step by another replica.
        let replica = fixture.replica().await;
        let has_run = replica.run_jobs().await.expect("a step");
        replica.close().await;
        if !has_run {
            break;
        }
        steps += 1;
        fixture.clock().advance(JOB_HELD_MS);
    }
    assert!((6..20).contains(&steps), "{steps}");
    assert_eq!(fixture.counts("ann").await, (0, 0, 70));
    let raw = fixture.raw().await;
    let named = "SELECT count(*) FROM mailbox WHERE profile_id = 'eve'";
    assert_eq!(raw.number(named).await, 0);
    let named = "SELECT count(*) FROM erasure WHERE profile_id = 'eve'";
    assert_eq!(raw.number(named).await, 0);
}

async fn an_erased_profile_of_another_app_is_another_profile(fixture: &StoreFixture) {
    let other = other_app("other");
    let theirs = fixture.execute(&other, operation(send("eve", &["bob"])));
    sent(theirs.await);
    fixture.send("eve", &["bob"]).await;
    erase(fixture, "eve").await;
    erased(fixture, &fixture.store).await;
    assert_eq!(fixture.counts("bob").await, (0, 0, 0));
    assert_eq!(fixture.counts_in(&other, "bob").await, (1, 1, 0));
    assert_eq!(fixture.counts_in(&other, "eve").await, (0, 0, 1));
}

async fn a_profile_that_comes_back_begins_anew(fixture: &StoreFixture) {
    fixture.send("eve", &["bob"]).await;
    erase(fixture, "eve").await;
    erased(fixture, &fixture.store).await;
    fixture.send("ann", &["eve"]).await;
    fixture.clock().advance(ERASURE_MEMORY_MS);
    all_steps(&fixture.store).await;
    assert_eq!(fixture.counts("eve").await, (1, 1, 0));
    erase(fixture, "eve").await;
    erased(fixture, &fixture.store).await;
    assert_eq!(fixture.counts("eve").await, (0, 0, 0));
    assert_eq!(fixture.counts("ann").await, (0, 0, 1));
}

async fn each_table_has_a_treatment_by_erasures(fixture: &StoreFixture) {
    let tables = match fixture.test.backend() {
        DatabaseKind::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table'
             AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%sqlx%'"
        }
        DatabaseKind::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'
             AND tablename NOT LIKE '%sqlx%'"
        }
    };
    let tables = fixture.raw().await.lines(tables).await;
    assert_eq!(tables, TREATMENTS.map(|(table, _)| table));
}

async fn an_erased_app_leaves_no_row_and_no_number(fixture: &StoreFixture) {
    furnish(fixture).await;
    let other = other_app("other");
    let theirs = fixture.execute(&other, operation(send("eve", &["bob"])));
    sent(theirs.await);
    erase(fixture, &id(0)).await;
    fixture.done(EraseApp { cancel: false }.into()).await;
    fixture.clock().advance(APP_ERASURE_DELAY_MS - 1);
    assert!(
        !fixture
            .store
            .app_state(&app())
            .await
            .expect("a state")
            .is_erased
    );
    fixture.clock().advance(1);
    assert!(
        fixture
            .store
            .app_state(&app())
            .await
            .expect("a state")
            .is_erased
    );
    fixture.clock().advance(ERASURE_DELAY_MS);
    all_steps(&fixture.store).await;
    let raw = fixture.raw().await;
    assert_eq!(raw.everything("app ").await, Vec::<String>::new());
    assert!(raw.everything("other ").await.len() > 4);
    for (table, _) in TREATMENTS {
        if !["server", "lease"].contains(&table) {
            let left = format!("SELECT count(*) FROM {table} WHERE app_no = 1");
            assert_eq!(raw.number(&left).await, 0, "{table}");
        }
    }
    let again = fixture.replica().await;
    let begun = again.run(&app(), operation(send("ann", &["bob"]))).await;
    sent(begun);
    let number = raw
        .number("SELECT CAST(app_no AS bigint) FROM app WHERE app_id = 'app'")
        .await;
    assert!(number > 2, "{number}");
    // A replica that has known the old number reads the new one after the state of the app.
    let state = fixture.store.app_state(&app()).await;
    assert!(!state.expect("a state").is_erased);
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    again.close().await;
}

async fn an_app_under_erasure_has_no_drift(fixture: &StoreFixture) {
    let shared = furnish(fixture).await;
    // A change of a segment that its job has not carried through.
    let recipients = take_in(&fixture.store, &app(), vec![profile("ann"), profile("bob")]).await;
    let (_, message) = launched(fixture.act(launch(&recipients, None)).await);
    all_steps(&fixture.store).await;
    for message in [shared, message] {
        fixture.done(update(message, "newer", None)).await;
    }
    fixture.done(EraseApp { cancel: false }.into()).await;
    fixture
        .clock()
        .advance(APP_ERASURE_DELAY_MS + ERASURE_DELAY_MS);
    let mut steps = 0;
    while fixture.store.run_jobs().await.expect("a step") {
        steps += 1;
        let recounted = recount(&*fixture.store).await;
        assert_eq!(recounted.drift, [], "after step {steps}");
        let kept = recount_kept(&*fixture.store, false).await;
        assert_eq!(kept, [], "after step {steps}");
    }
    assert!(steps > 10, "{steps}");
}
