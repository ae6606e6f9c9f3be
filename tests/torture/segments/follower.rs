//! Streams of recipients, on any live replica.

use std::time::Duration;

use proto::v1;
use proto::v1::event::Frame;
use support::command;
use support::process::{Deployment, ServerProcess, postroom};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::Status;

use super::replicas::LiveAddresses;

/// Time within which all subscribers see a change.
const SETTLE: Duration = Duration::from_mins(1);
/// Longest silence of a stream: beyond the heartbeat.
const SILENCE: Duration = Duration::from_secs(40);
/// Between two streams.
const PAUSE: Duration = Duration::from_millis(50);
/// Deadline of opening a stream.
const OPEN_MAX: Duration = Duration::from_secs(3);
/// Bytes of a stream that may wait to be read.
const WINDOW_BYTES: u32 = 64 * 1024;

/// Frames about the message, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameCounts {
    pub received: usize,
    pub updated: usize,
    pub deleted: usize,
    pub resyncs: usize,
}

impl FrameCounts {
    fn add(&mut self, frame: &Frame) {
        match frame {
            Frame::MessageReceived(_) => self.received += 1,
            Frame::MessageUpdated(_) => self.updated += 1,
            Frame::MessageDeleted(_) => self.deleted += 1,
            Frame::Resync(_) => self.resyncs += 1,
            _ => {}
        }
    }
}

/// All subscribers. They stop when this is dropped.
pub struct SegmentFollowers {
    seen: Vec<watch::Receiver<(FrameCounts, usize)>>,
    _tasks: JoinSet<()>,
}

impl SegmentFollowers {
    /// Subscribes these recipients from the start of their feeds.
    pub fn begin(deployment: &Deployment, owners: Vec<String>, living: &LiveAddresses) -> Self {
        let folder = deployment.data_dir().display().to_string();
        let mut tasks = JoinSet::new();
        let mut seen = Vec::new();
        for (number, owner) in owners.into_iter().enumerate() {
            let mut minted = postroom(["token", "--sub", &owner, "--data-dir", &folder]);
            let token = command::run(&mut minted).expect("a token");
            let (tell, told) = watch::channel((FrameCounts::default(), 0));
            let follower = SegmentFollower {
                token: token.trim().to_owned(),
                cursor: "0".to_owned(),
                living: living.clone(),
                tell,
            };
            tasks.spawn(follower.follow(number));
            seen.push(told);
        }
        Self {
            seen,
            _tasks: tasks,
        }
    }

    /// Waits until each of them has seen that.
    pub async fn have(&mut self, expected: FrameCounts) {
        for told in &mut self.seen {
            let all = told.wait_for(|(seen, _)| *seen == expected);
            let waited = timeout(SETTLE, all).await.is_ok();
            let (seen, _) = *told.borrow();
            assert!(waited, "one who follows saw {seen:?}, not {expected:?}");
        }
    }

    /// Asserts that no subscriber has seen more, and returns the number of streams.
    pub fn end(self, expected: FrameCounts) -> usize {
        let seen = self.seen.iter().map(|told| *told.borrow());
        let mut streams = 0;
        for (seen, of_one) in seen {
            assert_eq!(seen, expected);
            streams += of_one;
        }
        streams
    }
}

struct SegmentFollower {
    token: String,
    cursor: String,
    living: LiveAddresses,
    /// Frames seen, and the number of streams.
    tell: watch::Sender<(FrameCounts, usize)>,
}

impl SegmentFollower {
    /// Follows again and again, each time on another replica if there is one.
    async fn follow(mut self, number: usize) {
        for attempt in number.. {
            // A stream that breaks is what this is about.
            let _ = self.read(attempt).await;
            sleep(PAUSE).await;
        }
    }

    /// Reads a stream to its end.
    async fn read(&mut self, attempt: usize) -> Result<(), Status> {
        let Some(address) = self.living.any(attempt) else {
            return Ok(());
        };
        let mut user = ServerProcess::messaging_through(address, &self.token, WINDOW_BYTES);
        let request = v1::SubscribeRequest {
            cursor: self.cursor.clone(),
            view: v1::MessageView::Metadata.into(),
            ..Default::default()
        };
        let opened = timeout(OPEN_MAX, user.subscribe(request)).await;
        let mut stream = opened.map_err(late)??.into_inner();
        self.tell.send_modify(|(_, streams)| *streams += 1);
        while let Some(answer) = timeout(SILENCE, stream.message()).await.map_err(late)?? {
            let event = answer.event.expect("an event");
            self.cursor = event.cursor;
            let frame = event.frame.expect("a frame");
            self.tell.send_modify(|(seen, _)| seen.add(&frame));
        }
        Ok(())
    }
}

fn late(_: tokio::time::error::Elapsed) -> Status {
    Status::deadline_exceeded("nothing came")
}
