//! Whose turn it is: which job, and which store.

use domain::segment::JobState;
use futures::future::join_all;
use support::on_each_database;

use super::super::bench::Bench;
use super::{
    all_steps, holders, launch, launched, name, names, operation, other_app, report, send_to, step,
    take_in,
};

on_each_database![
    stores_that_step_at_once_take_each_step_once,
    a_job_goes_on_elsewhere_a_moment_after_its_store_has_died,
    every_app_has_its_turn,
    many_jobs_of_an_app_go_on_without_a_rest,
    a_job_that_fails_rests_and_others_go_on,
];

async fn stores_that_step_at_once_take_each_step_once(bench: &Bench) {
    let replica = bench.replica().await;
    let (job_id, _) = send_to(bench, 3_000).await;
    while report(bench, job_id).await.state == JobState::Running {
        // So that each takes the job for its own.
        bench.clock().advance(2_000);
        let stores = [&bench.store, &replica, &bench.store, &replica];
        join_all(stores.map(|store| store.advance())).await;
    }
    let counts = report(bench, job_id).await.counts;
    assert_eq!(
        (counts.delivered, counts.full, counts.failed),
        (3_000, 0, 0)
    );
    assert_eq!(holders(bench).await, (3_000, 3_000));
    let changes = "SELECT count(*) FROM mailbox WHERE seq <> 1";
    assert_eq!(bench.raw().await.number(changes).await, 0);
    replica.close().await;
}

async fn a_job_goes_on_elsewhere_a_moment_after_its_store_has_died(bench: &Bench) {
    let replica = bench.replica().await;
    let (job_id, _) = send_to(bench, 1_500).await;
    assert!(step(&bench.store).await);
    assert!(!step(&replica).await, "a job is left to who is at it");
    bench.clock().advance(1_000);
    assert!(step(&replica).await);
    assert!(!step(&bench.store).await, "now it is the other's");
    assert!(step(&replica).await);
    assert_eq!(report(bench, job_id).await.state, JobState::Done);
    replica.close().await;
}

async fn every_app_has_its_turn(bench: &Bench) {
    let other = other_app("other");
    let (long, _) = send_to(bench, 1_500).await;
    let (longer, _) = send_to(bench, 1_500).await;
    let to = take_in(&bench.store, &other, names(0..600)).await;
    let short = operation(launch(&to, None));
    launched(bench.execute(&other, short).await);
    assert!(step(&bench.store).await);
    // A step of one job of each app.
    let delivered = [
        report(bench, long).await.counts.delivered,
        report(bench, longer).await.counts.delivered,
    ];
    assert_eq!(delivered.iter().sum::<i64>(), 500);
    assert_eq!(bench.counts_in(&other, &name(0)).await, (1, 1, 0));
    assert!(step(&bench.store).await);
    // Of an app, the job that waited longest.
    for job in [long, longer] {
        assert_eq!(report(bench, job).await.counts.delivered, 500);
    }
    assert_eq!(bench.counts_in(&other, &name(599)).await, (1, 1, 0));
    all_steps(&bench.store).await;
    assert_eq!(holders(bench).await.0, 1_500 + 1_500 + 600);
}

async fn many_jobs_of_an_app_go_on_without_a_rest(bench: &Bench) {
    for _ in 0..12 {
        send_to(bench, 510).await;
    }
    // The clock stands still: a job that was taken for another's would not go on.
    for _ in 0..24 {
        assert!(step(&bench.store).await);
    }
    assert!(!step(&bench.store).await);
    assert_eq!(holders(bench).await, (12 * 510, 510));
}

async fn a_job_that_fails_rests_and_others_go_on(bench: &Bench) {
    let mut broken = Vec::new();
    for _ in 0..10 {
        broken.push(send_to(bench, 600).await.0);
    }
    bench
        .raw()
        .await
        .run("UPDATE send_chunk SET recipients = 'no id at all!'")
        .await;
    let (well, _) = send_to(bench, 600).await;
    while report(bench, well).await.state == JobState::Running {
        bench.store.advance().await.expect("others go on");
    }
    assert_eq!(report(bench, well).await.counts.delivered, 600);
    for job_id in broken {
        let report = report(bench, job_id).await;
        assert_eq!(
            (report.state, report.counts.delivered),
            (JobState::Running, 0)
        );
    }
}
