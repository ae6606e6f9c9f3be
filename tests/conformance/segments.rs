//! Segment messages: each recipient has one entry, on any number of stores and after any failure.

use domain::operation::{CancelSendJob, SendToProfiles};
use domain::segment::{ChangeReport, JobCounts, JobId, JobReport, JobState, Recipients};
use domain::{
    Action, AppId, Draft, MessageId, Msgbox, Outcome, Policy, ProfileId, Refusal, Sender,
};
use storage::{RecipientUpload, Requester};
use support::on_each_database;

use super::builders::{
    app, delete, mark, operation, other_app, profile, remove, repeatable, text, update,
};
use super::fixture::{BatchStore, StoreFixture};
use super::page_offsets::everything;

mod changes;
mod job_runner;
mod uploads;

on_each_database![
    a_recipient_named_twice_gets_one_message,
    the_same_request_is_one_job,
    a_full_inbox_is_passed_over_and_counted,
    a_cancelled_job_counts_the_recipients_it_did_not_reach,
    no_other_app_sees_a_job,
];

/// Recipients of most tests: three chunks, the last of which is not full.
const MANY: usize = 1_200;

/// A recipient; their bytewise order is that of the numbers.
fn name(number: usize) -> String {
    format!("u{number:06}")
}

fn names(numbers: impl IntoIterator<Item = usize>) -> Vec<ProfileId> {
    numbers.into_iter().map(|it| profile(&name(it))).collect()
}

/// Recipients that are there, as long as they are not forgotten.
pub struct UploadedRecipients {
    to: Recipients,
    _intake: Box<dyn RecipientUpload>,
}

/// Takes in recipients, in parts.
pub async fn take_in(
    store: &BatchStore,
    app: &AppId,
    recipients: Vec<ProfileId>,
) -> UploadedRecipients {
    let mut intake = store.upload_recipients(app).await.expect("an intake");
    for part in recipients.chunks(7_000) {
        intake.add(part.to_vec()).await.expect("a part");
    }
    UploadedRecipients {
        to: intake.finish().await.expect("all of them"),
        _intake: intake,
    }
}

pub fn launch(taken_in: &UploadedRecipients, lifetime_ms: Option<i64>) -> Action {
    let from = Sender {
        name: "the app".to_owned(),
        ..Sender::default()
    };
    Action::SendToProfiles(SendToProfiles {
        draft: Draft {
            lifetime_ms,
            ..Draft::new(from, text("to some"))
        },
        to: taken_in.to,
    })
}

pub fn launched(outcome: Result<Outcome, Refusal>) -> (JobId, MessageId) {
    match outcome {
        Ok(Outcome::SegmentSent(launched)) => (launched.job_id, launched.message_id),
        other => panic!("{other:?}"),
    }
}

/// Sends a message to the first `count` recipients.
async fn send_to(fixture: &StoreFixture, count: usize) -> (JobId, MessageId) {
    let to = take_in(&fixture.store, &app(), names(0..count)).await;
    launched(fixture.act(launch(&to, None)).await)
}

async fn step(store: &BatchStore) -> bool {
    store.run_jobs().await.expect("a step")
}

pub async fn all_steps(store: &BatchStore) {
    while step(store).await {}
}

async fn report(fixture: &StoreFixture, job_id: JobId) -> JobReport {
    let report = fixture.store.send_job(&app(), job_id.uuid()).await;
    report.expect("an answer").expect("a job")
}

/// Number of entries, and of distinct mailboxes that hold them.
async fn holders(fixture: &StoreFixture) -> (i64, i64) {
    let raw = fixture.raw().await;
    let rows = raw.number("SELECT count(*) FROM msgbox").await;
    let mailboxes = raw.number("SELECT count(DISTINCT mailbox_id) FROM msgbox");
    (rows, mailboxes.await)
}

async fn a_recipient_named_twice_gets_one_message(fixture: &StoreFixture) {
    let named = names((0..MANY).chain(0..10).chain([5, 5]));
    let to = take_in(&fixture.store, &app(), named).await;
    assert_eq!((to.to.accepted, to.to.duplicates), (1_200, 12));
    let (job_id, message_id) = launched(fixture.act(launch(&to, None)).await);
    let mut delivered = Vec::new();
    while step(&fixture.store).await {
        delivered.push(report(fixture, job_id).await.counts.delivered);
    }
    assert_eq!(delivered, [500, 1_000, 1_200]);
    assert_eq!(holders(fixture).await, (1_200, 1_200));
    assert_eq!(fixture.counts(&name(5)).await, (1, 1, 0));
    let expected = JobReport {
        job_id,
        message_id,
        state: JobState::Done,
        counts: JobCounts {
            accepted: 1_200,
            duplicates: 12,
            delivered: 1_200,
            ..JobCounts::default()
        },
        change: None,
    };
    assert_eq!(report(fixture, job_id).await, expected);
    let by_message = fixture.store.send_job(&app(), message_id.uuid()).await;
    assert_eq!(by_message.expect("an answer"), Some(expected));

    let page = fixture.page(&name(7), &everything()).await;
    let envelope = &page.found.items[0].1.message.envelope;
    assert_eq!(envelope.to, [profile(&name(7))]);
    assert_eq!(envelope.to_count(), 1_200);
    let stored = &fixture.messages(&[message_id]).await[0].envelope;
    assert_eq!((stored.to.len(), stored.to_count()), (0, 1_200));
    // It is an entry like any other.
    fixture.done(mark(&name(7), &[message_id], true)).await;
    assert_eq!(fixture.counts(&name(7)).await, (1, 0, 0));
    let own = delete(&name(7), Msgbox::Inbox, &[message_id]);
    fixture.done(own).await;
    assert_eq!(fixture.counts(&name(7)).await, (0, 0, 0));
    assert_eq!(fixture.counts(&name(8)).await, (1, 1, 0));
}

async fn the_same_request_is_one_job(fixture: &StoreFixture) {
    let first = take_in(&fixture.store, &app(), names(0..20)).await;
    let second = take_in(&fixture.store, &app(), names((0..20).rev())).await;
    let send = async |to: &UploadedRecipients| {
        let once = repeatable("once", 1, launch(to, None));
        fixture.execute(&app(), once).await
    };
    let answer = send(&first).await;
    let (job_id, _) = launched(answer.clone());
    assert_eq!(job_id, first.to.job_id);
    assert_eq!(send(&second).await, answer);
    all_steps(&fixture.store).await;
    assert_eq!(send(&second).await, answer);
    let another = repeatable("once", 2, launch(&second, None));
    let reused = fixture.execute(&app(), another).await;
    assert_eq!(reused, Err(Refusal::RequestIdReused));
    assert_eq!(holders(fixture).await, (20, 20));
    // An upload that was sent cannot be sent again.
    let twice = fixture.act(launch(&first, None)).await;
    assert_eq!(twice, Err(Refusal::NotFound));
}

async fn a_full_inbox_is_passed_over_and_counted(fixture: &StoreFixture) {
    let policy = Policy {
        max_box_messages: 1,
        ..Policy::default()
    };
    let store = fixture.store_with(policy).await;
    fixture.announce(&[&name(3), &name(700)]).await;
    let to = take_in(&store, &app(), names(0..MANY)).await;
    let (job_id, _) = launched(store.run(&app(), operation(launch(&to, None))).await);
    all_steps(&store).await;
    let expected = JobCounts {
        accepted: 1_200,
        delivered: 1_198,
        full: 2,
        ..JobCounts::default()
    };
    assert_eq!(report(fixture, job_id).await.counts, expected);
    assert_eq!(fixture.counts(&name(3)).await, (1, 1, 0));
    store.close().await;
}

async fn a_cancelled_job_counts_the_recipients_it_did_not_reach(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, MANY).await;
    assert!(step(&fixture.store).await);
    let stop = Action::CancelSendJob(CancelSendJob { job_id });
    let stopped = fixture.done(stop.clone()).await;
    let Outcome::Job(stopped) = stopped else {
        panic!("{stopped:?}")
    };
    let expected = JobCounts {
        accepted: 1_200,
        delivered: 500,
        failed: 700,
        ..JobCounts::default()
    };
    assert_eq!(
        (stopped.state, stopped.counts),
        (JobState::Cancelled, expected)
    );
    assert!(!step(&fixture.store).await);
    assert_eq!(fixture.done(stop).await, Outcome::Job(stopped));
    assert_eq!(holders(fixture).await, (500, 500));
    // Who has it gets what becomes of it.
    fixture.done(update(message_id, "newer", None)).await;
    all_steps(&fixture.store).await;
    let change = report(fixture, job_id).await.change;
    let reached = ChangeReport {
        is_recall: false,
        reached: 500,
        total: 500,
    };
    assert_eq!(change, Some(reached));
    fixture.done(remove(&[message_id])).await;
    all_steps(&fixture.store).await;
    assert_eq!(holders(fixture).await, (0, 0));
}

async fn no_other_app_sees_a_job(fixture: &StoreFixture) {
    let (job_id, message_id) = send_to(fixture, 10).await;
    let other = other_app("other");
    for id in [job_id.uuid(), message_id.uuid()] {
        let found = fixture.store.send_job(&other, id).await;
        assert_eq!(found.expect("an answer"), None);
    }
    let stop = operation(Action::CancelSendJob(CancelSendJob { job_id }));
    let stopped = fixture.execute(&other, stop).await;
    assert_eq!(stopped, Err(Refusal::NotFound));
    all_steps(&fixture.store).await;
    let (app, owner) = (other, profile(&name(1)));
    let counted = fixture.store.counts(&app, &owner, Requester::App).await;
    assert_eq!(counted.expect("counts").counts.inbox_total, 0);
    assert_eq!(fixture.counts(&name(1)).await, (1, 1, 0));
}
