//! Uploads of recipients: sorted, unique and bounded, and nothing is sent before their end.

use domain::limits::{EXPIRED_KEPT_MS, INTAKE_MS, INTAKES_MAX, INTAKES_OF_APP_MAX};
use domain::operation::CancelSendJob;
use domain::{Action, Refusal};
use storage::Error;
use support::on_each_database;

use super::{all_steps, holders, launch, launched, name, names, step, take_in};
use crate::conformance::builders::{app, other_app};
use crate::conformance::fixture::{IN_TIME, StoreFixture};

on_each_database![
    recipients_are_sorted_and_unique_in_any_order_of_arrival,
    recipients_get_nothing_before_the_upload_ends,
    an_unsent_upload_is_removed,
    concurrent_uploads_are_bounded,
    an_upload_with_a_lost_chunk_sends_nothing,
];

async fn recipients_are_sorted_and_unique_in_any_order_of_arrival(fixture: &StoreFixture) {
    const ALL: usize = 40_000;
    // More than one run; every third a second time, far from the first.
    let shuffled = (0..ALL).map(|it| it * 7_919 % ALL);
    let named = names(shuffled.chain((0..ALL).step_by(3)));
    let duplicates = named.len() - ALL;
    let to = take_in(&fixture.store, &app(), named).await;
    assert_eq!(usize::try_from(to.to.accepted), Ok(ALL));
    assert_eq!(usize::try_from(to.to.duplicates), Ok(duplicates));
    let chunks = fixture
        .raw()
        .await
        .lines("SELECT recipients FROM send_chunk ORDER BY run_no, chunk_no")
        .await;
    assert_eq!(chunks.len(), ALL / 500);
    let stored = chunks.iter().flat_map(|chunk| chunk.lines());
    let stored: Vec<&str> = stored.filter(|line| !line.is_empty()).collect();
    let expected: Vec<String> = (0..ALL).map(name).collect();
    assert!(stored == expected);
    // Who they are does not depend on how they came.
    let digest = to.to.digest;
    drop(to);
    let again = take_in(&fixture.store, &app(), names((0..ALL).rev())).await;
    assert_eq!((again.to.digest, again.to.duplicates), (digest, 0));
    let fewer = take_in(&fixture.store, &app(), names(0..ALL - 1)).await;
    assert_ne!(fewer.to.digest, digest);
}

async fn recipients_get_nothing_before_the_upload_ends(fixture: &StoreFixture) {
    let mut intake = fixture
        .store
        .upload_recipients(&app())
        .await
        .expect("an intake");
    intake.add(names(0..10)).await.expect("a part");
    assert!(!step(&fixture.store).await);
    let to = intake.finish().await.expect("all of them");
    assert!(!step(&fixture.store).await);
    let unknown = fixture.store.send_job(&app(), to.job_id.uuid()).await;
    assert_eq!(unknown.expect("an answer"), None);
    let stop = Action::CancelSendJob(CancelSendJob { job_id: to.job_id });
    assert_eq!(fixture.act(stop).await, Err(Refusal::NotFound));
    assert_eq!(holders(fixture).await, (0, 0));
    assert_eq!(
        fixture
            .raw()
            .await
            .number("SELECT count(*) FROM message")
            .await,
        0
    );
}

async fn an_unsent_upload_is_removed(fixture: &StoreFixture) {
    let jobs = "SELECT count(*) FROM send_job";
    let chunks = "SELECT count(*) FROM send_chunk";
    let raw = fixture.raw().await;
    // Enough to be stored before the end, which does not come.
    let mut broken = fixture
        .store
        .upload_recipients(&app())
        .await
        .expect("an intake");
    broken.add(names(0..33_000)).await.expect("a part");
    assert!(raw.number(chunks).await > 0);
    drop(broken);
    let given_up = format!("{jobs} WHERE expire_ms <= {}", fixture.clock().now_ms().0);
    let is_given_up = async {
        while raw.number(&given_up).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(IN_TIME, is_given_up);
    waited.await.expect("it is given up");
    fixture.clock().advance(EXPIRED_KEPT_MS);
    while fixture.store.expire_due().await.expect("a sweep") {}
    assert_eq!((raw.number(jobs).await, raw.number(chunks).await), (0, 0));

    let finished = take_in(&fixture.store, &app(), names(0..10)).await;
    fixture.clock().advance(INTAKE_MS + EXPIRED_KEPT_MS);
    while fixture.store.expire_due().await.expect("a sweep") {}
    assert_eq!((raw.number(jobs).await, raw.number(chunks).await), (0, 0));
    let late = fixture.act(launch(&finished, None)).await;
    assert_eq!(late, Err(Refusal::NotFound));

    // What was sent is forgotten with its message.
    let to = take_in(&fixture.store, &app(), names(0..10)).await;
    launched(fixture.act(launch(&to, Some(60_000))).await);
    all_steps(&fixture.store).await;
    assert_eq!((raw.number(jobs).await, raw.number(chunks).await), (1, 1));
    fixture.clock().advance(60_000 + EXPIRED_KEPT_MS);
    while fixture.store.expire_due().await.expect("a sweep") {}
    assert_eq!((raw.number(jobs).await, raw.number(chunks).await), (0, 0));
}

async fn concurrent_uploads_are_bounded(fixture: &StoreFixture) {
    let begin = async |number: usize| {
        let app = other_app(&format!("app{number}"));
        fixture.store.upload_recipients(&app).await
    };
    let refused = async |number: usize| {
        let refused = begin(number).await.err();
        assert!(matches!(refused, Some(Error::Overloaded)), "{refused:?}");
    };
    let mut intakes = Vec::new();
    for number in 0..INTAKES_MAX {
        if number == INTAKES_OF_APP_MAX {
            refused(0).await;
        }
        let of_app = number / INTAKES_OF_APP_MAX;
        intakes.push(begin(of_app).await.expect("an intake"));
    }
    refused(INTAKES_MAX).await;
    intakes.pop();
    begin(INTAKES_MAX).await.expect("a place again");
}

async fn an_upload_with_a_lost_chunk_sends_nothing(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    let all = names(0..40_000);
    // Of a run that is to be merged, and of one that is the only one.
    for (count, goes) in [
        (40_000, "run_no = 0 AND chunk_no = 3"),
        (16_384, "chunk_no = 3"),
    ] {
        let mut intake = fixture
            .store
            .upload_recipients(&app())
            .await
            .expect("an intake");
        intake.add(all[..count].to_vec()).await.expect("a part");
        raw.run(&format!("DELETE FROM send_chunk WHERE {goes}"))
            .await;
        let lost = intake.finish().await;
        assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
        raw.run("DELETE FROM send_chunk").await;
    }
    // All of it, the job too.
    let mut intake = fixture
        .store
        .upload_recipients(&app())
        .await
        .expect("an intake");
    raw.run("DELETE FROM send_job").await;
    let lost = intake.add(all).await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    assert_eq!(raw.number("SELECT count(*) FROM send_chunk").await, 0);
}
