//! Sends at a steady rate to subscribers, and the times of their frames.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rand::random_range;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use crate::load::caller::LoadCaller;
use crate::load::closed_loop::{Done, TimedOperation, now_us};
use crate::load::subscribers::Subscribers;

/// Between two sends.
const EVERY: Duration = Duration::from_millis(20);
/// Longest wait for the last call.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Longest wait for the last frames: a poll and a margin.
const FRAMES_MAX: Duration = Duration::from_secs(5);

/// A message whose sender has the reply.
struct SentMessage {
    message_id: String,
    /// Time of the reply, in microseconds since the epoch.
    replied_us: u64,
}

/// A sender at work.
pub struct Deliveries {
    sender: JoinHandle<(Vec<SentMessage>, Done)>,
    stop: Arc<AtomicBool>,
    subscribers: Subscribers,
}

impl Deliveries {
    /// Starts to send to the first `count` users, who have streams.
    pub fn start(caller: &LoadCaller, subscribers: Subscribers, users: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        Self {
            sender: tokio::spawn(send(caller.clone(), users, Arc::clone(&stop))),
            stop,
            subscribers,
        }
    }

    /// Ends, and takes what was delivered: each from the sender's reply to the frame.
    ///
    /// # Errors
    /// If a call hangs, or a stream ended.
    pub async fn stop(mut self) -> anyhow::Result<Done> {
        self.stop.store(true, Ordering::Relaxed);
        let sender = timeout(STOP_MAX, self.sender).await;
        let (sent, done) = sender.context("a call hangs")??;
        let mut received = HashMap::new();
        let end = Instant::now() + FRAMES_MAX;
        while received.len() < sent.len()
            && let Ok(Some(next)) = timeout_at(end, self.subscribers.next()).await
        {
            received.entry(next.message_id).or_insert(next.at_us);
        }
        self.subscribers.stop()?;
        Ok(matched(&sent, &received, done))
    }
}

async fn send(caller: LoadCaller, users: u64, stop: Arc<AtomicBool>) -> (Vec<SentMessage>, Done) {
    let (mut sent, mut done) = (Vec::new(), Done::default());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        match caller.send_to(random_range(0..users)).await {
            Ok(message_id) => sent.push(SentMessage {
                message_id,
                replied_us: now_us(),
            }),
            Err(status) => done.refused(&status),
        }
    }
    (sent, done)
}

/// A frame may come before the reply; then it takes no time.
fn matched(sent: &[SentMessage], received: &HashMap<String, u64>, mut done: Done) -> Done {
    for SentMessage {
        message_id,
        replied_us,
    } in sent
    {
        match received.get(message_id) {
            Some(&end_us) => done.operations.push(TimedOperation {
                end_us,
                latency_us: end_us.saturating_sub(*replied_us),
            }),
            None => done.failed(|| format!("no subscriber has seen {message_id}")),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_before_the_reply_takes_no_time_and_one_that_never_comes_is_an_error() {
        let sent = ["a", "b", "c"].map(|message_id| SentMessage {
            message_id: message_id.to_owned(),
            replied_us: 1_000,
        });
        let received = HashMap::from([("a".to_owned(), 900), ("c".to_owned(), 1_250)]);

        let done = matched(&sent, &received, Done::default());

        let latencies: Vec<u64> = done.operations.iter().map(|one| one.latency_us).collect();
        assert_eq!((latencies, done.errors), (vec![0, 250], 1));
    }
}
