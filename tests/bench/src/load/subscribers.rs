//! Subscribers that read every frame at once.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use proto::v1::SubscribeResponse;
use proto::v1::event::Frame;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::load::caller::{LoadCaller, connection};
use crate::load::closed_loop::{TimedOperation, elapsed_us, now_us};

/// Streams of a connection: the service's default limit.
pub const STREAMS_PER_CONNECTION: u64 = 100;
/// Streams of a profile: the service's limit.
pub const STREAMS_PER_PROFILE: u64 = 20;
/// Streams that are being opened at a time.
const OPENING: usize = 32;
/// Longest wait until a stream has caught up.
const OPEN_MAX: Duration = Duration::from_secs(30);

/// A message that has come to its recipient.
#[derive(Debug)]
pub struct Received {
    pub message_id: String,
    /// Arrival, in microseconds since the epoch.
    pub at_us: u64,
}

/// Streams that are open. They end with this value.
pub struct Subscribers {
    /// Times from opening each stream until it had caught up.
    pub opened: Vec<TimedOperation>,
    streams: JoinSet<Status>,
    received: UnboundedReceiver<Received>,
}

impl Subscribers {
    /// Opens the streams with these numbers, on connections of their own, and waits until all
    /// of them have caught up. The users take turns.
    ///
    /// # Errors
    /// If one is refused.
    pub async fn open(
        caller: &LoadCaller,
        address: SocketAddr,
        numbers: Range<u64>,
    ) -> anyhow::Result<Self> {
        let mut places = Vec::new();
        for number in numbers {
            if (places.len() as u64).is_multiple_of(STREAMS_PER_CONNECTION) {
                places.push((connection(address).await?, number));
            } else if let Some((connection, _)) = places.last() {
                places.push((connection.clone(), number));
            }
        }
        let opening = stream::iter(places).map(|(connection, number)| {
            let opened = open(caller, connection, number % caller.profiles());
            async { timeout(OPEN_MAX, opened).await.context("a stream hangs")? }
        });
        let mut opening = opening.buffer_unordered(OPENING);
        let (sender, received) = unbounded_channel();
        let mut all = Self {
            opened: Vec::new(),
            streams: JoinSet::new(),
            received,
        };
        while let Some((stream, opened)) = opening.try_next().await? {
            all.opened.push(opened);
            all.streams.spawn(follow(stream, sender.clone()));
        }
        Ok(all)
    }

    /// The next message that comes to any of them.
    pub async fn next(&mut self) -> Option<Received> {
        self.received.recv().await
    }

    /// Ends them, and answers what came and was not taken yet.
    ///
    /// # Errors
    /// If a stream has ended before.
    pub fn stop(mut self) -> anyhow::Result<Vec<Received>> {
        if let Some(ended) = self.streams.try_join_next() {
            bail!("a stream has ended: {}", ended?);
        }
        let received = std::iter::from_fn(|| self.received.try_recv().ok());
        Ok(received.collect())
    }
}

async fn open(
    caller: &LoadCaller,
    connection: Channel,
    user: u64,
) -> anyhow::Result<(Streaming<SubscribeResponse>, TimedOperation)> {
    let begun = Instant::now();
    let mut stream = caller.subscribe(connection, user).await?;
    while !matches!(next(&mut stream).await?, Some(Frame::CaughtUp(_))) {}
    let opened = TimedOperation {
        end_us: now_us(),
        latency_us: elapsed_us(begun),
    };
    Ok((stream, opened))
}

/// Reads frames until the stream ends, and returns its end.
async fn follow(
    mut stream: Streaming<SubscribeResponse>,
    received: UnboundedSender<Received>,
) -> Status {
    loop {
        match next(&mut stream).await {
            Ok(Some(Frame::MessageReceived(entry))) if entry.msgbox == "inbox" => {
                // The receiver is gone at the end.
                let _ = received.send(Received {
                    message_id: entry.message_id,
                    at_us: now_us(),
                });
            }
            Ok(_) => {}
            Err(status) => return status,
        }
    }
}

async fn next(stream: &mut Streaming<SubscribeResponse>) -> Result<Option<Frame>, Status> {
    let answer = stream.message().await?;
    let answer = answer.ok_or_else(|| Status::unavailable("the server has ended it"))?;
    Ok(answer.event.and_then(|event| event.frame))
}
