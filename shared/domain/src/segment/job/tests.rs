//! Steps, changes and counts of send jobs.

use super::*;
use crate::testing::sent_at;

const NOW: Millis = Millis(5_000);

/// A running job with that number of recipients.
fn running(accepted: i64) -> SendJob {
    let job_id = JobId::new(sent_at(1).uuid());
    let mut job = SendJob {
        job_id,
        message_id: None,
        state: JobState::Filling,
        run_no: 0,
        next_chunk: 0,
        counts: JobCounts::default(),
        change: None,
        step_ms: Millis(0),
        expire_ms: Millis(50),
    };
    assert_eq!((job.next_step(), job.report()), (None, None));
    job.counts.accepted = accepted;
    job.counts.duplicates = 7;
    job.start(sent_at(2), Millis(90), NOW);
    assert_eq!(job.expire_ms, Millis(90));
    job
}

const fn step(change: MessageChange, chunk_no: i64) -> Step {
    Step { change, chunk_no }
}

#[test]
fn a_job_is_done_after_its_last_chunk() {
    for (accepted, chunks) in [(1, 1), (500, 1), (501, 2), (1_000, 2), (1_001, 3)] {
        let mut job = running(accepted);
        for chunk_no in 0..chunks {
            assert_eq!(
                job.next_step(),
                Some(step(MessageChange::Sent, chunk_no)),
                "{accepted}"
            );
            job.deliver(1, 1);
        }
        assert_eq!((job.state, job.next_step()), (JobState::Done, None));
        let before = job.clone();
        job.stop();
        assert_eq!(job, before, "a finished job is not stopped");
    }
}

#[test]
fn undelivered_recipients_count_as_failed_when_a_job_stops() {
    let mut job = running(1_200);
    job.deliver(498, 2);
    job.stop();
    let expected = JobCounts {
        accepted: 1_200,
        duplicates: 7,
        delivered: 498,
        full: 2,
        failed: 700,
    };
    assert_eq!((job.state, job.counts), (JobState::Cancelled, expected));
    assert_eq!(job.next_step(), None);
}

/// The report of the last change.
fn reached(job: &SendJob) -> Option<(bool, i64, i64)> {
    let change = job.report()?.change?;
    Some((change.is_recall, change.reached, change.total))
}

#[test]
fn a_change_covers_delivered_chunks_while_delivery_goes_on() {
    let mut job = running(1_200);
    job.deliver(500, 0);
    job.deliver(500, 0);
    job.change(MessageChange::Updated, NOW);
    let mut steps = Vec::new();
    while let Some(step) = job.next_step() {
        steps.push((step.change, step.chunk_no));
        match step.change {
            MessageChange::Sent => job.deliver(200, 0),
            _ => job.take_change(),
        }
    }
    let expected = [
        (MessageChange::Updated, 0),
        (MessageChange::Sent, 2),
        (MessageChange::Updated, 1),
    ];
    assert_eq!(steps, expected);
    assert_eq!(reached(&job), Some((false, 1_000, 1_000)));
    job.change(MessageChange::Recalled, NOW);
    assert_eq!(reached(&job), Some((true, 0, 1_200)));
    assert_eq!(job.state, JobState::Done);
}

#[test]
fn frequent_changes_starve_neither_deliveries_nor_chunks() {
    let mut job = running(5_000);
    let mut updated = [0; 10];
    for _ in 0..60 {
        job.change(MessageChange::Updated, NOW);
        match job.next_step() {
            Some(Step {
                change: MessageChange::Sent,
                ..
            }) => job.deliver(500, 0),
            Some(step) => {
                updated[usize::try_from(step.chunk_no).expect("few")] += 1;
                job.take_change();
            }
            None => {}
        }
    }
    assert_eq!(job.state, JobState::Done);
    assert!(updated.iter().all(|count| *count > 2), "{updated:?}");
}

#[test]
fn a_change_continues_where_the_last_one_was() {
    let mut job = running(1_200);
    for _ in 0..3 {
        job.deliver(400, 0);
    }
    job.change(MessageChange::Updated, NOW);
    job.take_change();
    job.take_change();
    assert_eq!(reached(&job), Some((false, 1_000, 1_200)));
    job.change(MessageChange::Recalled, NOW);
    let mut reach = Vec::new();
    while let Some(step) = job.next_step() {
        reach.push((step.chunk_no, reached(&job).expect("a change").1));
        job.take_change();
    }
    // The last chunk has 200 recipients.
    assert_eq!(reach, [(2, 0), (0, 200), (1, 700)]);
    assert_eq!(reached(&job), Some((true, 1_200, 1_200)));
}

#[test]
fn a_change_before_the_first_delivery_needs_no_steps() {
    let mut job = running(10);
    job.change(MessageChange::Updated, NOW);
    assert_eq!(
        (job.change, job.next_step()),
        (None, Some(step(MessageChange::Sent, 0)))
    );
    job.change(MessageChange::Recalled, NOW);
    assert_eq!((job.change, job.next_step()), (None, None));
    assert_eq!(job.counts.failed, 10);
}

#[test]
fn a_job_is_held_for_a_second_after_a_step_by_any_clock() {
    let mut job = running(10);
    assert!(is_left(job.step_ms, NOW), "no replica has begun");
    job.step_ms = job.step_time(NOW);
    assert_ne!(job.step_time(NOW), NOW, "each step has its own time");
    for (now, left) in [
        (NOW, false),
        (NOW.after(999), false),
        (NOW.after(1_000), true),
        (NOW.after(-999), false),
        (NOW.after(-3_600_000), true),
    ] {
        assert_eq!(is_left(job.step_ms, now), left, "{now:?}");
    }
    job.change(MessageChange::Updated, NOW);
    assert!(!is_left(job.step_ms, NOW), "a replica is running it");
    job.deliver(10, 0);
    job.change(MessageChange::Updated, NOW);
    assert!(is_left(job.step_ms, NOW), "the job had ended");
}
