//! Scheduling of send jobs: between jobs, apps and stores.

use domain::segment::JobState;
use futures::future::join_all;
use support::on_each_database;

use super::super::fixture::StoreFixture;
use super::{
    all_steps, holders, launch, launched, name, names, operation, other_app, report, send_to, step,
    take_in,
};

on_each_database![
    concurrent_stores_execute_each_step_once,
    a_job_continues_on_another_store_after_a_crash,
    jobs_of_every_app_take_turns,
    many_jobs_of_an_app_run_without_a_pause,
    a_failing_job_backs_off_and_other_jobs_continue,
];

async fn concurrent_stores_execute_each_step_once(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let (job_id, _) = send_to(fixture, 3_000).await;
    while report(fixture, job_id).await.state == JobState::Running {
        // So that each takes the job for its own.
        fixture.clock().advance(2_000);
        let stores = [&fixture.store, &replica, &fixture.store, &replica];
        join_all(stores.map(|store| store.run_jobs())).await;
    }
    let counts = report(fixture, job_id).await.counts;
    assert_eq!(
        (counts.delivered, counts.full, counts.failed),
        (3_000, 0, 0)
    );
    assert_eq!(holders(fixture).await, (3_000, 3_000));
    let changes = "SELECT count(*) FROM mailbox WHERE seq <> 1";
    assert_eq!(fixture.raw().await.number(changes).await, 0);
    replica.close().await;
}

async fn a_job_continues_on_another_store_after_a_crash(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let (job_id, _) = send_to(fixture, 1_500).await;
    assert!(step(&fixture.store).await);
    assert!(!step(&replica).await, "a job is left to who is at it");
    fixture.clock().advance(1_000);
    assert!(step(&replica).await);
    assert!(!step(&fixture.store).await, "now it is the other's");
    assert!(step(&replica).await);
    assert_eq!(report(fixture, job_id).await.state, JobState::Done);
    replica.close().await;
}

async fn jobs_of_every_app_take_turns(fixture: &StoreFixture) {
    let other = other_app("other");
    let (long, _) = send_to(fixture, 1_500).await;
    let (longer, _) = send_to(fixture, 1_500).await;
    let to = take_in(&fixture.store, &other, names(0..600)).await;
    let short = operation(launch(&to, None));
    launched(fixture.execute(&other, short).await);
    assert!(step(&fixture.store).await);
    // A step of one job of each app.
    let delivered = [
        report(fixture, long).await.counts.delivered,
        report(fixture, longer).await.counts.delivered,
    ];
    assert_eq!(delivered.iter().sum::<i64>(), 500);
    assert_eq!(fixture.counts_in(&other, &name(0)).await, (1, 1, 0));
    assert!(step(&fixture.store).await);
    // Of an app, the job that waited longest.
    for job in [long, longer] {
        assert_eq!(report(fixture, job).await.counts.delivered, 500);
    }
    assert_eq!(fixture.counts_in(&other, &name(599)).await, (1, 1, 0));
    all_steps(&fixture.store).await;
    assert_eq!(holders(fixture).await.0, 1_500 + 1_500 + 600);
}

async fn many_jobs_of_an_app_run_without_a_pause(fixture: &StoreFixture) {
    for _ in 0..12 {
        send_to(fixture, 510).await;
    }
    // The clock stands still: a job that was taken for another's would not go on.
    for _ in 0..24 {
        assert!(step(&fixture.store).await);
    }
    assert!(!step(&fixture.store).await);
    assert_eq!(holders(fixture).await, (12 * 510, 510));
}

async fn a_failing_job_backs_off_and_other_jobs_continue(fixture: &StoreFixture) {
    let mut broken = Vec::new();
    for _ in 0..10 {
        broken.push(send_to(fixture, 600).await.0);
    }
    fixture
        .raw()
        .await
        .run("UPDATE send_chunk SET recipients = 'no\tid'")
        .await;
    let (well, _) = send_to(fixture, 600).await;
    while report(fixture, well).await.state == JobState::Running {
        fixture.store.run_jobs().await.expect("others go on");
    }
    assert_eq!(report(fixture, well).await.counts.delivered, 600);
    for job_id in broken {
        let report = report(fixture, job_id).await;
        assert_eq!(
            (report.state, report.counts.delivered),
            (JobState::Running, 0)
        );
    }
}
