//! The audit log: records in the transactions of their changes, chains, pages and erasure.

use std::sync::Arc;

use domain::audit::{AuditId, AuditKey, AuditKind, AuditedCall};
use domain::limits::JOB_HELD_MS;
use domain::operation::RecordRead;
use domain::{Action, AppId, Operation, Outcome};
use storage::{AuditEntry, AuditFault, AuditFilter, Budget, Error};
use storage_sql::Options;
use support::on_each_database;
use support::store::AUDIT_SECRET;
use uuid::Uuid;

use super::builders::{
    announce, app, operation, other_app, profile, remove, repeatable, send, sent, to_all, update,
};
use super::fixture::{BatchStore, StoreFixture, in_time};

mod chains;
mod erasure;
mod keys;
mod pages;

on_each_database![
    a_change_has_a_record_with_caller_request_and_ids,
    a_change_that_is_not_committed_leaves_no_record,
    a_change_without_its_record_is_not_made,
    a_refused_change_and_a_repeated_request_have_no_record,
    a_change_without_an_audited_call_has_no_record,
    a_deletion_in_parts_has_a_record_of_each_part,
    a_record_names_a_bounded_number_of_ids,
    a_store_without_a_key_refuses_audited_changes,
];

/// Subject of the tokens of audited calls.
const SUBJECT: &str = "hook-1";

fn call(kind: AuditKind) -> AuditedCall {
    let request = AuditKey::new(AUDIT_SECRET).request_hasher();
    request.update(b"request");
    AuditedCall {
        call_id: Uuid::new_v4(),
        method: "postroom.sys.v1.Sys/Test",
        kind,
        subject: Some(SUBJECT.into()),
        issuer: "issuer".into(),
        key_id: Some("key".into()),
        request,
    }
}

/// Budget of an audited change.
fn audited() -> Budget {
    Budget {
        audit: Some(Arc::new(call(AuditKind::Change))),
        ..in_time().into()
    }
}

/// Executes an audited change.
async fn change_in(
    store: &BatchStore,
    app: &AppId,
    operation: Operation,
) -> Result<Outcome, Error> {
    store.execute(app, operation, audited()).await
}

async fn change(fixture: &StoreFixture, action: Action) -> Result<Outcome, Error> {
    change_in(&fixture.store, &app(), operation(action)).await
}

/// Numbers all records. A store that has had nothing to do waits until its own lease is over.
async fn chain(fixture: &StoreFixture, store: &BatchStore) {
    fixture.clock().advance(JOB_HELD_MS);
    while store.run_jobs().await.expect("a step") {}
}

/// All numbered records of an app, and the faults of its chain.
async fn verified(store: &BatchStore, app: &AppId) -> (Vec<AuditEntry>, Vec<AuditFault>) {
    verified_with(store, app, &[AuditKey::new(AUDIT_SECRET)]).await
}

/// The same with keys, the current one first.
async fn verified_with(
    store: &BatchStore,
    app: &AppId,
    keys: &[AuditKey],
) -> (Vec<AuditEntry>, Vec<AuditFault>) {
    let (mut entries, mut faults, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let part = store.verify_audit(app, keys, after).await.expect("a part");
        entries.extend(part.entries);
        faults.extend(part.faults);
        after = part.next;
        if after.is_none() {
            return (entries, faults);
        }
    }
}

/// All records of the one app, whose chain has no faults.
async fn records(fixture: &StoreFixture) -> Vec<AuditEntry> {
    chain(fixture, &fixture.store).await;
    let (entries, faults) = verified(&fixture.store, &app()).await;
    assert_eq!(faults, []);
    entries
}

fn kept(entry: &AuditEntry) -> Vec<AuditId> {
    entry.ids.kept().cloned().collect()
}

async fn a_change_has_a_record_with_caller_request_and_ids(fixture: &StoreFixture) {
    let message = sent(
        change(fixture, announce(&["ann", "bob"]))
            .await
            .map_err(refusal),
    );
    fixture.clock().advance(5);
    let budget = audited();
    let call = budget.audit.clone().expect("a call");
    let newer = operation(update(message, "newer", None));
    let updated = fixture.store.execute(&app(), newer, budget).await;
    updated.expect("an update");
    let time = fixture.clock().now_ms();

    let [first, second] = &records(fixture).await[..] else {
        panic!("not two records");
    };
    assert_eq!((first.link.no, second.link.no), (1, 2));
    assert_eq!(second.record.time, time);
    assert_eq!(first.record.time.after(5), second.record.time);
    let subject = AuditId::Subject(SUBJECT.into());
    let profiles = ["ann", "bob"].map(|name| AuditId::Profile(profile(name)));
    let of_send = [subject.clone(), AuditId::Message(message)];
    assert_eq!(kept(first), [&of_send[..], &profiles].concat());
    assert_eq!(kept(second), [subject, AuditId::Message(message)]);
    assert_eq!((first.record.affected, first.record.id_count), (2, 3));
    let record = &second.record;
    assert_eq!(record.call_id, call.call_id);
    assert_eq!(
        (record.method.as_str(), record.kind),
        (call.method, call.kind)
    );
    assert_eq!(record.issuer, "issuer");
    assert_eq!(record.key_id.as_deref(), Some("key"));
    assert_eq!(record.request_hash, call.request.hash());
}

fn refusal(error: Error) -> domain::Refusal {
    match error {
        Error::Refused(refusal) => refusal,
        error => panic!("{error:?}"),
    }
}

async fn a_change_that_is_not_committed_leaves_no_record(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    raw.break_commits().await;
    let failed = change(fixture, announce(&["ann"])).await;
    assert!(failed.is_err(), "{failed:?}");
    raw.mend_commits().await;
    assert_eq!(raw.number("SELECT count(*) FROM audit").await, 0);
    assert_eq!(raw.number("SELECT count(*) FROM audit_id").await, 0);
    assert_eq!(records(fixture).await, []);
}

async fn a_change_without_its_record_is_not_made(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    raw.run("ALTER TABLE audit_id RENAME TO gone").await;
    let failed = change(fixture, announce(&["ann"])).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(raw.number("SELECT count(*) FROM message").await, 0);
    fixture.send("ann", &["bob"]).await;
    raw.run("ALTER TABLE gone RENAME TO audit_id").await;
    change(fixture, announce(&["ann"]))
        .await
        .expect("a message");
    assert_eq!(records(fixture).await.len(), 1);
}

async fn a_refused_change_and_a_repeated_request_have_no_record(fixture: &StoreFixture) {
    let message = sent(fixture.act(announce(&["ann"])).await);
    let refused = change(fixture, update(message, "newer", Some(9))).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let once = || repeatable("once", 1, announce(&["bob"]));
    for _ in 0..3 {
        let sent = change_in(&fixture.store, &app(), once()).await;
        sent.expect("a message");
    }
    assert_eq!(records(fixture).await.len(), 1);
}

async fn a_change_without_an_audited_call_has_no_record(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    assert_eq!(records(fixture).await, []);
    assert_eq!(fixture.store.audited_apps(None).await.expect("apps"), []);
}

/// Messages to two profiles each, with more holders than one transaction deletes.
const MESSAGES_IN_PARTS: i64 = 40;

async fn a_deletion_in_parts_has_a_record_of_each_part(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    for _ in 0..MESSAGES_IN_PARTS {
        messages.push(fixture.announce(&["ann", "bob"]).await);
    }
    change(fixture, remove(&messages))
        .await
        .expect("a deletion");
    let records = records(fixture).await;
    assert!(records.len() > 1, "{records:?}");
    let affected = records.iter().map(|entry| entry.record.affected);
    assert!(affected.is_sorted(), "{records:?}");
    let last = records.last().map(|entry| entry.record.affected);
    assert_eq!(last, Some(MESSAGES_IN_PARTS));
    let [first, ..] = &records[..] else {
        panic!("no record");
    };
    let named: i64 = records.iter().map(|entry| entry.record.id_count).sum();
    assert_eq!(named, MESSAGES_IN_PARTS);
    let is_of_call = |entry: &AuditEntry| entry.record.call_id == first.record.call_id;
    assert!(records.iter().all(is_of_call));
}

async fn a_record_names_a_bounded_number_of_ids(fixture: &StoreFixture) {
    let id = |number| AuditId::Profile(profile(&format!("p{number}")));
    let read = RecordRead {
        ids: (0..600).map(id).collect(),
        messages: 7,
    };
    let budget = Budget {
        audit: Some(Arc::new(call(AuditKind::Read))),
        ..in_time().into()
    };
    let app = app();
    let recorded = fixture.store.execute(&app, operation(read.into()), budget);
    recorded.await.expect("a record");
    let [entry] = &records(fixture).await[..] else {
        panic!("not one record");
    };
    assert_eq!(entry.record.kind, AuditKind::Read);
    assert_eq!((entry.record.affected, entry.record.id_count), (7, 600));
    assert_eq!(kept(entry).len(), domain::limits::AUDIT_IDS_MAX);
}

async fn a_store_without_a_key_refuses_audited_changes(fixture: &StoreFixture) {
    let mut options: Options = fixture.test.options.clone();
    options.audit.key = None;
    let store = fixture.store_of(&options).await;
    let refused = change_in(&store, &app(), operation(announce(&["ann"]))).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    let by_user = store.run(&app(), operation(send("ann", &["bob"]))).await;
    sent(by_user);
    store.close().await;
}
