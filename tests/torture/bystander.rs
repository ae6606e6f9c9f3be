//! Calls of a user beside the trouble of others.

use std::time::{Duration, Instant};

use proto::v1;
use support::process::{ServerProcess, UserClient};
use tokio::time::{MissedTickBehavior, interval};
use tonic::Status;

const CALL_INTERVAL: Duration = Duration::from_millis(25);

/// Calls of a user, one after the other.
pub struct Bystander {
    /// Times that the calls took.
    pub delays: Vec<Duration>,
    /// Refused calls.
    pub refused: Vec<Status>,
    /// Largest resident memory of the service meanwhile, in bytes.
    pub memory_bytes: u64,
}

impl Bystander {
    /// Sends, reads counts and reads a page in turns, for a time.
    pub async fn call(server: &ServerProcess, token: &str, time: Duration) -> Self {
        let mut user = server.messaging(token);
        let mut seen = Self {
            delays: Vec::new(),
            refused: Vec::new(),
            memory_bytes: 0,
        };
        let start = Instant::now();
        let mut calls = interval(CALL_INTERVAL);
        calls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0_u32.. {
            calls.tick().await;
            if start.elapsed() >= time {
                break;
            }
            let called = Instant::now();
            let done = match number % 3 {
                0 => send(&mut user, vec!["bystander".to_owned()])
                    .await
                    .map(drop),
                1 => {
                    let counts = user.get_message_counts(v1::GetMessageCountsRequest {});
                    counts.await.map(drop)
                }
                _ => {
                    let page = user.get_messages_page(v1::GetMessagesPageRequest::default());
                    page.await.map(drop)
                }
            };
            seen.delays.push(called.elapsed());
            seen.refused.extend(done.err());
            seen.memory_bytes = seen.memory_bytes.max(server.memory_bytes());
        }
        seen
    }
}

/// Sends a message and returns its id.
pub async fn send(user: &mut UserClient, to: Vec<String>) -> Result<String, Status> {
    let request = v1::SendMessageSimpleRequest {
        to,
        text: "hello".to_owned(),
        ..Default::default()
    };
    let sent = user.send_message_simple(request).await?;
    Ok(sent.into_inner().message_id)
}
