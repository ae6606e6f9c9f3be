//! `kill -9` again and again, while a job delivers a message to a segment, or brings a change of
//! it to everyone.
//!
//! The usual number of recipients is what a debug build does in a CI run. With more of them:
//!
//! ```sh
//! POSTROOM_TORTURE_RECIPIENTS=100000 cargo test --workspace --test tests -- --ignored torture::segments
//! ```

mod follower;
mod replicas;
mod stored;

use std::time::{Duration, Instant};

use futures::stream;
use proto::sys::v1 as sys;
use proto::sys::v1::send_job_change::Kind;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::sys::v1::{GetSendJobResponse, SendJobState, SendToProfilesResponse};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use support::process::{Deployment, SystemClient};
use support::{coverage, on_each_database};

use crate::api::builders::{news, text};
use follower::{FrameCounts, SegmentFollowers};
use replicas::{JobWatch, Replicas};
use stored::StoredCounts;

/// Default number of recipients.
const RECIPIENTS: usize = 20_000;
const RECIPIENTS_VARIABLE: &str = "POSTROOM_TORTURE_RECIPIENTS";
/// Recipients of which one is named twice.
const TWICE_EVERY: usize = 10;
/// Recipients in one message of the stream.
const CHUNK: usize = 1_000;
/// A replica is killed so often, ...
const KILL_EVERY: Duration = Duration::from_secs(3);
/// ... and sooner after such a part of the work, so that a fast machine does not end it before.
const PARTS: i64 = 4;
/// Recipients with open streams.
const FOLLOWERS: usize = 20;
/// Longest run of a job. Only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(10);

fn recipients() -> usize {
    std::env::var(RECIPIENTS_VARIABLE)
        .ok()
        .map_or(RECIPIENTS, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{RECIPIENTS_VARIABLE} is no number"))
        })
}

fn owner(number: usize) -> String {
    format!("owner{number}")
}

/// Sends to `count` recipients in random order, to some of them twice.
async fn send(app: &mut SystemClient, count: usize) -> SendToProfilesResponse {
    let mut numbers: Vec<usize> = (0..count).chain((0..count).step_by(TWICE_EVERY)).collect();
    numbers.shuffle(&mut StdRng::seed_from_u64(7600));
    let message = Piece::Message(sys::SegmentMessage {
        content: Some(text("to some")),
        sender: Some(news()),
        ..Default::default()
    });
    let chunks = numbers.chunks(CHUNK).map(|numbers| {
        Piece::Recipients(sys::SegmentRecipients {
            profile_ids: numbers.iter().copied().map(owner).collect(),
        })
    });
    let pieces = [message].into_iter().chain(chunks);
    let pieces = pieces.map(|piece| sys::SendToProfilesRequest { piece: Some(piece) });
    let pieces: Vec<_> = pieces.collect();
    let sent = app.send_to_profiles(stream::iter(pieces)).await;
    let sent = sent.expect("it is sent").into_inner();
    let counts = sent.counts.expect("counts");
    assert_eq!((counts.accepted, counts.duplicates), accepted(count));
    sent
}

/// Recipients and duplicates of a [`send`].
fn accepted(count: usize) -> (i64, i64) {
    let number = |count: usize| i64::try_from(count).expect("a number");
    (number(count), number(count.div_ceil(TWICE_EVERY)))
}

/// Progress of a job: work done, and all of it.
type Progress = fn(&GetSendJobResponse) -> Option<(i64, i64)>;

fn tried(job: &GetSendJobResponse) -> Option<(i64, i64)> {
    let counts = job.counts.as_ref()?;
    let tried = counts.delivered + counts.full + counts.failed;
    Some((tried, counts.accepted))
}

fn updated(job: &GetSendJobResponse) -> Option<(i64, i64)> {
    let change = job.change.as_ref();
    let change = change.filter(|change| change.kind() == Kind::Updated)?;
    Some((change.reached, change.total))
}

fn deleted(job: &GetSendJobResponse) -> Option<(i64, i64)> {
    let change = job.change.as_ref();
    let change = change.filter(|change| change.kind() == Kind::Deleted)?;
    Some((change.reached, change.total))
}

/// Kills one replica after the other until the work is done, and returns the progress at each
/// kill. The progress never decreases, on any replica.
async fn torment(replicas: &mut Replicas, job_id: &str, progress: Progress) -> Vec<i64> {
    let mut watch = JobWatch::new(job_id, progress);
    let begun = Instant::now();
    let (mut killed_at, mut killed_when) = (0, begun);
    let mut kills = Vec::new();
    loop {
        assert!(begun.elapsed() < PATIENCE, "not done: {watch:?}");
        replicas.look(&mut watch).await;
        if watch.is_done() {
            break;
        }
        let (done, all) = watch.last;
        let is_time = killed_when.elapsed() >= KILL_EVERY;
        if done > 0 && (is_time || done - killed_at >= all / PARTS) {
            kills.push(done);
            replicas.strike(&mut watch).await;
            (killed_at, killed_when) = (watch.last.0, Instant::now());
        }
    }
    assert!(!kills.is_empty(), "nobody was killed in the middle");
    kills
}

/// Asserts the final state of a job.
async fn assert_delivered(app: &mut SystemClient, job_id: &str, count: usize) {
    let job_id = job_id.to_owned();
    let job = app.get_send_job(sys::GetSendJobRequest { job_id }).await;
    let job = job.expect("a job").into_inner();
    assert_eq!(job.state(), SendJobState::Done);
    let counts = job.counts.expect("counts");
    assert_eq!((counts.accepted, counts.duplicates), accepted(count));
    assert_eq!(
        (counts.delivered, counts.full, counts.failed),
        (counts.accepted, 0, 0)
    );
}

async fn a_segment_message_is_delivered_once_over_crashes(deployment: &Deployment) {
    let count = recipients();
    let mut replicas = Replicas::serve(deployment);
    let sent = send(&mut replicas.app(), count).await;
    let kills = torment(&mut replicas, &sent.job_id, tried).await;
    assert_delivered(&mut replicas.app(), &sent.job_id, count).await;
    drop(replicas);
    let stored = StoredCounts::read(deployment).await;
    assert_eq!(stored, StoredCounts::with_entries(count));
    let verified = deployment.verify();
    coverage::print(&format!(
        "kill -9 of postroom after {kills:?} of {count} recipients of a segment: each has its \
         message once; {verified}"
    ));
}

async fn a_change_reaches_a_segment_once_over_crashes(deployment: &Deployment) {
    let count = recipients() / 2;
    let mut replicas = Replicas::serve(deployment);
    let owners = (0..FOLLOWERS).map(|number| owner(number * count / FOLLOWERS));
    let mut followers = SegmentFollowers::begin(deployment, owners.collect(), &replicas.living());
    let mut app = replicas.app();
    let SendToProfilesResponse {
        job_id, message_id, ..
    } = send(&mut app, count).await;
    let mut seen = FrameCounts {
        received: 1,
        ..FrameCounts::default()
    };
    replicas.wait(&mut JobWatch::new(&job_id, tried)).await;
    followers.have(seen).await;

    let request = sys::UpdateMessageRequest {
        message_id: message_id.clone(),
        content: Some(text("to some, corrected")),
        ..Default::default()
    };
    app.update_message(request).await.expect("it is updated");
    let update_kills = torment(&mut replicas, &job_id, updated).await;
    seen.updated = 1;
    followers.have(seen).await;
    let stored = StoredCounts::read(deployment).await;
    assert_eq!(stored, StoredCounts::with_entries(count).after_an_update());

    let request = sys::DeleteMessageRequest {
        message_id,
        ..Default::default()
    };
    let mut app = replicas.app();
    app.delete_message(request).await.expect("it is deleted");
    let delete_kills = torment(&mut replicas, &job_id, deleted).await;
    seen.deleted = 1;
    followers.have(seen).await;
    assert_delivered(&mut replicas.app(), &job_id, count).await;
    let streams = followers.end(seen);
    drop(replicas);
    assert_eq!(
        StoredCounts::read(deployment).await,
        StoredCounts::after_a_deletion(count)
    );
    let verified = deployment.verify();
    coverage::print(&format!(
        "kill -9 of postroom after {update_kills:?} and {delete_kills:?} of {count} recipients had \
         an update and a deletion: all have both; {FOLLOWERS} who follow saw each once, in \
         {streams} streams; {verified}"
    ));
}

on_each_database![
    #[ignore = "second gear: takes minutes"]
    a_segment_message_is_delivered_once_over_crashes,
    #[ignore = "second gear: takes minutes"]
    a_change_reaches_a_segment_once_over_crashes,
];
