//! How a job goes on.

use super::*;
use crate::segment::Recipients;
use crate::testing::sent_at;

/// A job that delivers to so many.
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
    let to = Recipients {
        job_id,
        run_no: 3,
        accepted,
        duplicates: 7,
        digest: [0; 32],
    };
    job.launch(sent_at(2), &to, Millis(90));
    assert_eq!((job.run_no, job.expire_ms), (3, Millis(90)));
    job
}

const fn step(turn: Turn, chunk_no: i64) -> Step {
    Step { turn, chunk_no }
}

#[test]
fn a_job_is_done_when_each_chunk_had_its_turn() {
    for (accepted, chunks) in [(1, 1), (500, 1), (501, 2), (1_000, 2), (1_001, 3)] {
        let mut job = running(accepted);
        for chunk_no in 0..chunks {
            assert_eq!(
                job.next_step(),
                Some(step(Turn::Sent, chunk_no)),
                "{accepted}"
            );
            job.deliver(1, 1);
        }
        assert_eq!((job.state, job.next_step()), (JobState::Done, None));
        let before = job.clone();
        job.stop();
        assert_eq!(job, before, "it has ended already");
    }
}

#[test]
fn who_had_no_turn_is_counted_when_it_stops() {
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

#[test]
fn a_change_goes_to_those_who_had_their_turn_before_the_others_have_theirs() {
    let mut job = running(1_200);
    job.deliver(500, 0);
    job.deliver(500, 0);
    job.change(Turn::Updated);
    assert_eq!(job.next_step(), Some(step(Turn::Updated, 0)));
    job.take_change();
    job.take_change();
    assert_eq!(job.next_step(), Some(step(Turn::Sent, 2)));
    job.deliver(200, 0);
    let change = job.report().and_then(|report| report.change);
    let expected = ChangeReport {
        is_recall: false,
        reached: 1_000,
        total: 1_000,
    };
    assert_eq!(change, Some(expected));
    job.change(Turn::Recalled);
    let change = job.report().and_then(|report| report.change);
    let expected = ChangeReport {
        is_recall: true,
        reached: 0,
        total: 1_200,
    };
    assert_eq!((job.state, change), (JobState::Done, Some(expected)));
}

#[test]
fn a_change_that_nobody_has_to_take_is_none() {
    let mut job = running(10);
    job.change(Turn::Updated);
    assert_eq!(
        (job.change, job.next_step()),
        (None, Some(step(Turn::Sent, 0)))
    );
    job.change(Turn::Recalled);
    assert_eq!((job.change, job.next_step()), (None, None));
    assert_eq!(job.counts.failed, 10);
}

#[test]
fn a_job_that_had_nothing_to_do_is_anybodys_when_it_has() {
    let mut job = running(10);
    assert_eq!(job.step_time(Millis(70)), Millis(70));
    job.step_ms = Millis(70);
    assert_eq!(job.step_time(Millis(60)), Millis(71), "it grows");
    job.change(Turn::Updated);
    assert_eq!(job.step_ms, Millis(70), "somebody is at it");
    job.deliver(10, 0);
    job.change(Turn::Updated);
    assert_eq!(job.step_ms, Millis(0));
}
