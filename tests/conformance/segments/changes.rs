//! Updates and recalls of segment messages: the content changes at once, counts, pages and events
//! box by box.

use domain::operation::DeleteMessages;
use domain::segment::{ChangeReport, JobState};
use domain::{Action, MessageId, Msgbox, Refusal};
use storage::{FeedChange, FeedLimits, FeedStart};
use support::on_each_database;

use super::super::fixture::StoreFixture;
use super::{
    MANY, all_steps, app, delete, everything, holders, launch, launched, name, names, profile,
    remove, report, send_to, step, take_in, update,
};

on_each_database![
    an_update_changes_the_content_at_once_and_the_boxes_one_by_one,
    an_update_during_the_delivery_reaches_each_recipient_once,
    a_second_update_replaces_one_under_way,
    a_recall_clears_the_content_at_once_and_the_boxes_one_by_one,
    a_recall_during_the_delivery_ends_it,
    a_deletion_by_the_owner_survives_an_update,
    a_message_that_expires_ends_its_job,
    several_segment_messages_are_recalled_at_once,
];

const NEWER: ChangeReport = ChangeReport {
    is_recall: false,
    reached: 0,
    total: 1_200,
};

/// Events of an owner's feed, in order.
async fn told(fixture: &StoreFixture, owner: &str) -> Vec<(&'static str, MessageId)> {
    let all = FeedLimits {
        only: None,
        changes_max: 100,
        bytes_max: 1_000_000,
    };
    let feed = fixture
        .store
        .changes(&app(), &profile(owner), FeedStart::Beginning, all)
        .await;
    let changes = feed.expect("a feed").changes.into_iter();
    let told = changes.map(|(_, change)| match change {
        FeedChange::Received(item) => ("received", item.entry.message_id),
        FeedChange::Updated(item) => ("updated", item.entry.message_id),
        FeedChange::Deleted(_, message_id) => ("deleted", message_id),
    });
    told.collect()
}

/// Number of an owner's changes, and the page's text and versions.
async fn page(fixture: &StoreFixture, owner: &str) -> MessageState {
    let page = fixture.page(owner, &everything()).await;
    let (_, item) = page.found.items.first().expect("an entry");
    let message = &item.message;
    (
        page.offset.seq,
        String::from_utf8_lossy(&message.content.encoded).into_owned(),
        message.envelope.version,
        item.entry.content_version,
    )
}

type MessageState = (i64, String, i64, i64);

fn said(words: &str, seq: i64, version: i64, shown: i64) -> MessageState {
    (seq, words.to_owned(), version, shown)
}

async fn an_update_changes_the_content_at_once_and_the_boxes_one_by_one(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    all_steps(&fixture.store).await;
    let (early, late) = (name(0), name(1_199));
    assert_eq!(page(fixture, &late).await, said("to some", 1, 1, 1));
    fixture.done(update(message_id, "newer", None)).await;
    assert_eq!(report(fixture, job_id).await.change, Some(NEWER));
    assert_eq!(page(fixture, &late).await, said("newer", 1, 2, 1));
    assert!(step(&fixture.store).await);
    let change = report(fixture, job_id).await.change;
    assert_eq!(change.map(|change| change.reached), Some(500));
    assert_eq!(page(fixture, &early).await, said("newer", 2, 2, 2));
    assert_eq!(page(fixture, &late).await, said("newer", 1, 2, 1));
    // What is on its way is no drift.
    let (mut after, mut mailboxes) = (None, 0);
    loop {
        let audit = fixture
            .store
            .recount(after, false)
            .await
            .expect("a recount");
        assert_eq!(audit.drift, []);
        mailboxes += audit.mailboxes;
        after = audit.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(mailboxes, 1_200);
    all_steps(&fixture.store).await;
    assert_eq!(page(fixture, &late).await, said("newer", 2, 2, 2));
    let change = report(fixture, job_id).await.change;
    assert_eq!(change.map(|change| change.reached), Some(1_200));
    let twice = "SELECT count(*) FROM mailbox WHERE seq <> 2";
    assert_eq!(fixture.raw().await.number(twice).await, 0);
}

async fn an_update_during_the_delivery_reaches_each_recipient_once(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    assert!(step(&fixture.store).await);
    fixture.done(update(message_id, "newer", None)).await;
    let change = report(fixture, job_id).await.change;
    assert_eq!(change.map(|change| change.total), Some(500));
    all_steps(&fixture.store).await;
    let report = report(fixture, job_id).await;
    assert_eq!(
        (report.state, report.counts.delivered),
        (JobState::Done, 1_200)
    );
    assert_eq!(page(fixture, &name(0)).await, said("newer", 2, 2, 2));
    // Who came later has never had another.
    assert_eq!(page(fixture, &name(500)).await, said("newer", 1, 2, 2));
    assert_eq!(told(fixture, &name(500)).await, [("received", message_id)]);
}

async fn a_second_update_replaces_one_under_way(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    all_steps(&fixture.store).await;
    fixture.done(update(message_id, "second", None)).await;
    assert!(step(&fixture.store).await);
    fixture.done(update(message_id, "third", None)).await;
    assert_eq!(report(fixture, job_id).await.change, Some(NEWER));
    all_steps(&fixture.store).await;
    assert_eq!(page(fixture, &name(0)).await, said("third", 3, 3, 3));
    assert_eq!(page(fixture, &name(500)).await, said("third", 2, 3, 3));
    let stale = fixture.act(update(message_id, "x", Some(2))).await;
    let mismatch = Refusal::VersionMismatch {
        expected: 2,
        current: 3,
    };
    assert_eq!(stale, Err(mismatch));
}

async fn a_recall_clears_the_content_at_once_and_the_boxes_one_by_one(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    all_steps(&fixture.store).await;
    fixture.done(update(message_id, "newer", None)).await;
    assert!(step(&fixture.store).await);
    fixture.done(remove(&[message_id])).await;
    assert_eq!(fixture.messages(&[message_id]).await, []);
    let again = fixture.act(update(message_id, "newest", None)).await;
    assert_eq!(again, Err(Refusal::NotFound));
    // Its entry is there, and counted, until the box has its turn.
    let late = name(1_199);
    assert_eq!(page(fixture, &late).await, said("", 1, 2, 1));
    assert_eq!(fixture.counts(&late).await, (1, 1, 0));
    assert!(step(&fixture.store).await);
    // It goes on where the update was.
    assert_eq!(fixture.counts(&name(500)).await, (0, 0, 0));
    assert_eq!(fixture.counts(&name(0)).await, (1, 1, 0));
    assert_eq!(fixture.counts(&late).await, (1, 1, 0));
    all_steps(&fixture.store).await;
    assert_eq!(fixture.counts(&late).await, (0, 0, 0));
    assert_eq!(holders(fixture).await, (0, 0));
    let report = report(fixture, job_id).await;
    let gone = ChangeReport {
        is_recall: true,
        reached: 1_200,
        total: 1_200,
    };
    assert_eq!((report.state, report.change), (JobState::Done, Some(gone)));
    // The update came to some before it was overtaken.
    let at = "SELECT count(*) FROM mailbox WHERE seq =";
    let raw = fixture.raw().await;
    assert_eq!(raw.number(&format!("{at} 3")).await, 500);
    assert_eq!(raw.number(&format!("{at} 2")).await, 700);
}

async fn a_recall_during_the_delivery_ends_it(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    assert!(step(&fixture.store).await);
    fixture.done(remove(&[message_id])).await;
    let counts = report(fixture, job_id).await.counts;
    assert_eq!((counts.delivered, counts.failed), (500, 700));
    all_steps(&fixture.store).await;
    let report = report(fixture, job_id).await;
    assert_eq!(report.state, JobState::Cancelled);
    assert_eq!(report.change.map(|change| change.total), Some(500));
    assert_eq!(holders(fixture).await, (0, 0));
    assert_eq!(told(fixture, &name(600)).await, []);
}

async fn a_deletion_by_the_owner_survives_an_update(fixture: &StoreFixture) {
    let (_, message_id) = send_to(fixture, 10).await;
    all_steps(&fixture.store).await;
    let owner = name(3);
    fixture
        .done(delete(&owner, Msgbox::Inbox, &[message_id]))
        .await;
    fixture.done(update(message_id, "newer", None)).await;
    all_steps(&fixture.store).await;
    fixture.done(remove(&[message_id])).await;
    all_steps(&fixture.store).await;
    assert_eq!(fixture.counts(&owner).await, (0, 0, 0));
    let page = fixture.page(&owner, &everything()).await;
    assert_eq!((page.found.items.len(), page.offset.seq), (0, 2));
}

async fn a_message_that_expires_ends_its_job(fixture: &StoreFixture) {
    let to = take_in(&fixture.store, &app(), names(0..MANY)).await;
    let (job_id, message_id) = launched(fixture.act(launch(&to, Some(60_000))).await);
    assert!(step(&fixture.store).await);
    assert!(step(&fixture.store).await);
    fixture.done(update(message_id, "newer", None)).await;
    fixture.clock().advance(60_000);
    all_steps(&fixture.store).await;
    let raw = fixture.raw().await;
    let ended = "SELECT state || ' ' || delivered || ' ' || failed || ' ' || is_due FROM send_job";
    assert_eq!(raw.lines(ended).await, ["3 1000 200 0"]);
    let unknown = fixture.store.send_job(&app(), job_id.uuid()).await;
    assert_eq!(unknown.expect("an answer"), None);
    assert_eq!(fixture.counts(&name(0)).await, (0, 0, 0));
    assert_eq!(fixture.counts(&name(1_100)).await, (0, 0, 0));
}

async fn several_segment_messages_are_recalled_at_once(fixture: &StoreFixture) {
    let (_, one) = send_to(fixture, 10).await;
    let (_, two) = send_to(fixture, 10).await;
    let plain = fixture.announce(&[&name(3)]).await;
    all_steps(&fixture.store).await;
    let remove = DeleteMessages::new(vec![one, two, plain]);
    let update = update(one, "never read", None);
    fixture
        .batch([update, Action::DeleteMessages(remove)])
        .await;
    all_steps(&fixture.store).await;
    assert_eq!(holders(fixture).await, (0, 0));
}
