//! Latency from the sender's reply to the frame of a stream.

use std::time::{Duration, Instant};

use proto::v1;
use proto::v1::event::Frame;
use support::process::{Deployment, ServerProcess};
use support::store::TestDatabase;
use support::{coverage, on_each_database};
use tokio::sync::mpsc;
use tokio::time::timeout;

const SENDS: usize = 200;
/// A poll, and then some.
const SOON: Duration = Duration::from_secs(5);

/// Ids of new messages, with the times at which a stream shows them.
async fn seen(server: &ServerProcess) -> mpsc::UnboundedReceiver<(String, Instant)> {
    let mut bob = server.messaging(&server.tokens.bob);
    let request = v1::SubscribeRequest::default();
    let stream = bob.subscribe(request).await.expect("a stream");
    let mut stream = stream.into_inner();
    let (seen, times) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(Some(answer)) = stream.message().await {
            let frame = answer.event.and_then(|event| event.frame);
            if let Some(Frame::MessageReceived(entry)) = frame {
                // The receiver is gone at the end.
                let _ = seen.send((entry.message_id, Instant::now()));
            }
        }
    });
    times
}

async fn send(server: &ServerProcess, number: usize) -> (String, Instant) {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: format!("message {number}"),
        ..Default::default()
    };
    let mut alice = server.messaging(&server.tokens.alice);
    let sent = alice
        .send_message_simple(request)
        .await
        .expect("it is sent");
    (sent.into_inner().message_id, Instant::now())
}

/// The median and the 99th percentile, in milliseconds.
pub fn figures(mut delays: Vec<Duration>) -> String {
    delays.sort_unstable();
    let at = |percent: usize| delays[(delays.len() * percent / 100).min(delays.len() - 1)];
    let [median, late] = [50, 99].map(|percent| at(percent).as_secs_f64() * 1000.0);
    format!("p50 {median:.1} ms, p99 {late:.1} ms")
}

async fn a_message_is_seen_within_five_seconds_on_every_replica(deployment: &Deployment) {
    let replicas = match deployment.database() {
        TestDatabase::Sqlite(_) => vec![deployment.serve()],
        TestDatabase::Postgres(_) => vec![deployment.serve(), deployment.serve()],
    };
    let mut followers = Vec::new();
    for replica in &replicas {
        followers.push(seen(replica).await);
    }
    let mut delays = vec![Vec::new(); replicas.len()];
    for number in 0..SENDS {
        let (id, replied) = send(&replicas[0], number).await;
        for (times, delays) in followers.iter_mut().zip(&mut delays) {
            let next = timeout(SOON, times.recv()).await.expect("it is seen soon");
            let (seen_id, at) = next.expect("a stream that goes on");
            assert_eq!(seen_id, id);
            delays.push(at.saturating_duration_since(replied));
        }
    }
    let figures: Vec<String> = delays.into_iter().map(figures).collect();
    coverage::print(&format!(
        "from the reply to the frame, {SENDS} sends, here and on another replica: {}",
        figures.join("; ")
    ));
}

on_each_database![
    #[ignore = "second gear: measures time"]
    a_message_is_seen_within_five_seconds_on_every_replica,
];
