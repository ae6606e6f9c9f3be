//! A subscriber to a mailbox.

use proto::v1;
use proto::v1::event::Frame;
use support::service::InProcessUser;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use crate::conformance::fixture::IN_TIME;

/// An open stream.
pub struct StreamSubscriber {
    stream: Streaming<v1::SubscribeResponse>,
    /// The cursor of the last frame.
    pub cursor: String,
}

/// Kind of a frame, and its message id or reason.
pub type FrameSummary = (&'static str, String);

pub fn frame(event: &v1::Event) -> &Frame {
    event.frame.as_ref().expect("a frame")
}

pub fn short(event: &v1::Event) -> FrameSummary {
    let id = |entry: &v1::MsgboxEntry| entry.message_id.clone();
    match frame(event) {
        Frame::MessageReceived(entry) => ("new", id(entry)),
        Frame::MessageUpdated(entry) => ("changed", id(entry)),
        Frame::MessageDeleted(gone) => ("gone", gone.message_id.clone()),
        Frame::Counts(_) => ("counts", String::new()),
        Frame::CaughtUp(_) => ("caught up", String::new()),
        Frame::Heartbeat(_) => ("heartbeat", String::new()),
        Frame::Resync(resync) => ("resync", resync.reason().as_str_name().to_owned()),
        Frame::Reconnect(_) => ("reconnect", String::new()),
    }
}

/// True for frames about messages.
pub fn is_change(short: &FrameSummary) -> bool {
    ["new", "changed", "gone"].contains(&short.0)
}

impl StreamSubscriber {
    pub async fn of(user: InProcessUser, cursor: &str) -> Self {
        let request = v1::SubscribeRequest {
            cursor: cursor.to_owned(),
            ..Default::default()
        };
        Self::with(user, request).await
    }

    pub async fn with(mut user: InProcessUser, request: v1::SubscribeRequest) -> Self {
        let cursor = request.cursor.clone();
        let stream = user.subscribe(request).await.expect("a stream");
        Self::over(stream.into_inner(), &cursor)
    }

    /// A subscriber on an open stream.
    pub fn over(stream: Streaming<v1::SubscribeResponse>, cursor: &str) -> Self {
        Self {
            stream,
            cursor: cursor.to_owned(),
        }
    }

    /// The next frame; none at the end of the stream.
    pub async fn try_next(&mut self) -> Result<Option<v1::Event>, Status> {
        let next = timeout(IN_TIME, self.stream.message()).await;
        let next = next.expect("a frame, or an end")?;
        let event = next.map(|answer| answer.event.expect("an event"));
        if let Some(event) = &event {
            self.cursor.clone_from(&event.cursor);
        }
        Ok(event)
    }

    pub async fn next(&mut self) -> v1::Event {
        let next = self.try_next().await.expect("no error");
        next.expect("a frame")
    }

    /// The frames up to the one in which the backlog is done.
    pub async fn backlog(&mut self) -> Vec<FrameSummary> {
        let mut seen = Vec::new();
        loop {
            let next = short(&self.next().await);
            if next.0 == "caught up" {
                return seen;
            }
            seen.push(next);
        }
    }

    /// The next `count` frames about messages.
    pub async fn changes(&mut self, count: usize) -> Vec<FrameSummary> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let next = short(&self.next().await);
            if is_change(&next) {
                seen.push(next);
            }
        }
        seen
    }

    /// The frames up to the end of the backlog or of the stream, and the error if it ends.
    pub async fn until_caught_up(&mut self) -> (Vec<FrameSummary>, Option<Status>) {
        let mut seen = Vec::new();
        loop {
            match self.try_next().await {
                Ok(Some(event)) if matches!(frame(&event), Frame::CaughtUp(_)) => {
                    return (seen, None);
                }
                Ok(Some(event)) => seen.push(short(&event)),
                Ok(None) => panic!("the stream ended without an error"),
                Err(status) => return (seen, Some(status)),
            }
        }
    }

    /// All remaining frames, and the error if the stream ends with one.
    pub async fn rest(&mut self) -> (Vec<FrameSummary>, Option<Status>) {
        let mut seen = Vec::new();
        loop {
            match self.try_next().await {
                Ok(Some(event)) => seen.push(short(&event)),
                Ok(None) => return (seen, None),
                Err(status) => return (seen, Some(status)),
            }
        }
    }
}
