//! `kill -9` in the middle of sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use support::process::{Deployment, ServerProcess, UserClient};
use support::{coverage, however_gathered};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::sends::{delivered, missing, request, send_all};

/// Answers after which the service is killed.
const ANSWERS: usize = 300;
/// Sends at most: fewer than fill a box.
const SENDS_MAX: usize = 5_000;
/// Sends under way at any time.
const SENDERS: usize = 100;
/// Connections, each with its share of the senders.
const CONNECTIONS: usize = 10;

/// Sends of which the service did not answer all.
struct Interrupted {
    sent: usize,
    /// Ids of the messages that were acknowledged.
    acknowledged: Vec<String>,
}

/// Sends until the service is gone, and calls `kill` after [`ANSWERS`] answers. However long that
/// takes, sends are under way then.
async fn interrupted(server: &ServerProcess, kill: impl FnOnce()) -> Interrupted {
    let (answered, mut answers) = mpsc::unbounded_channel();
    let connect = || server.messaging(&server.tokens.alice);
    let connections: Vec<UserClient> = (0..CONNECTIONS).map(|_| connect()).collect();
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let mut alice = connections[sender % CONNECTIONS].clone();
        let (answered, next) = (answered.clone(), next.clone());
        senders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= SENDS_MAX {
                    return;
                }
                let Ok(sent) = alice.send_message_simple(request(number)).await else {
                    return;
                };
                // The receiver is there until all senders are gone.
                let _ = answered.send(sent.into_inner().message_id);
            }
        });
    }
    drop(answered);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ANSWERS {
        acknowledged.push(answers.recv().await.expect("more answers"));
    }
    kill();
    while let Some(id) = answers.recv().await {
        acknowledged.push(id);
    }
    Interrupted {
        sent: next.load(Ordering::Relaxed).min(SENDS_MAX),
        acknowledged,
    }
}

/// Checks that all acknowledged messages are there, and that repeating all sends doubles none.
async fn assert_nothing_lost(
    server: &ServerProcess,
    Interrupted { sent, acknowledged }: &Interrupted,
) {
    assert!(
        acknowledged.len() < *sent,
        "everything was acknowledged before the end"
    );
    assert_eq!(
        missing(server, acknowledged).await,
        Vec::<String>::new(),
        "acknowledged and lost"
    );
    let all = send_all(server, 0..*sent).await;
    assert!(
        acknowledged.iter().all(|id| all.contains(id)),
        "a retry has another answer"
    );
    assert_eq!(delivered(server).await, *sent, "doubled or lost");
}

async fn acknowledged_sends_survive_kill_9(deployment: &Deployment) {
    let server = deployment.serve();
    let mut victim = Some(server.killer());
    let interrupted = interrupted(&server, || victim.take().expect("a victim")()).await;
    drop(server);

    let restarted = Instant::now();
    let server = deployment.serve();
    let back_ms = restarted.elapsed().as_millis();
    assert_nothing_lost(&server, &interrupted).await;
    drop(server);
    let verified = deployment.verify();
    coverage::print(&format!(
        "kill -9 of postroom: {} of {} acknowledged, lost 0, doubled 0, back after {back_ms} ms; {verified}",
        interrupted.acknowledged.len(),
        interrupted.sent
    ));
}

however_gathered![acknowledged_sends_survive_kill_9];
