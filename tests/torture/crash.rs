//! `kill -9` in the middle of a thousand sends.

use std::time::Instant;

use support::process::{Home, Server, UserClient};
use support::{coverage, however_gathered};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::sends::{delivered, missing, request, send_all};

const SENDS: usize = 1000;
/// After so many answers the end comes.
const ANSWERS: usize = 300;
/// Connections, each with its share of the sends.
const CONNECTIONS: usize = 10;

/// Sends everything at once, and ends the world after some answers. Answers the ids of the
/// messages that were acknowledged.
async fn interrupted(server: &Server, end: impl FnOnce()) -> Vec<String> {
    let (answered, mut answers) = mpsc::unbounded_channel();
    let connect = || server.messaging(&server.tokens.alice);
    let connections: Vec<UserClient> = (0..CONNECTIONS).map(|_| connect()).collect();
    let mut sends = JoinSet::new();
    for number in 0..SENDS {
        let mut alice = connections[number % CONNECTIONS].clone();
        let answered = answered.clone();
        sends.spawn(async move {
            if let Ok(sent) = alice.send_message_simple(request(number)).await {
                // Nobody listens any more once everything was sent.
                let _ = answered.send(sent.into_inner().message_id);
            }
        });
    }
    drop(answered);
    let mut acknowledged = Vec::new();
    answers.recv_many(&mut acknowledged, ANSWERS).await;
    while acknowledged.len() < ANSWERS {
        acknowledged.push(answers.recv().await.expect("more answers"));
    }
    end();
    while let Some(id) = answers.recv().await {
        acknowledged.push(id);
    }
    acknowledged
}

/// Everything that was acknowledged is there, and trying all of it again doubles nothing.
async fn assert_nothing_lost(server: &Server, acknowledged: &[String]) {
    assert!(
        acknowledged.len() < SENDS,
        "the end came too late: everything was acknowledged"
    );
    assert_eq!(
        missing(server, acknowledged).await,
        Vec::<String>::new(),
        "acknowledged and lost"
    );
    let all = send_all(server, 0..SENDS).await;
    assert!(
        acknowledged.iter().all(|id| all.contains(id)),
        "a retry has another answer"
    );
    assert_eq!(delivered(server).await, SENDS, "doubled or lost");
}

async fn what_was_acknowledged_before_kill_9_is_there_after_the_restart(home: &Home) {
    let server = home.serve();
    let mut victim = Some(server.killer());
    let acknowledged = interrupted(&server, || victim.take().expect("a victim")()).await;
    drop(server);

    let restarted = Instant::now();
    let server = home.serve();
    let back_ms = restarted.elapsed().as_millis();
    assert_nothing_lost(&server, &acknowledged).await;
    drop(server);
    let verified = home.verify();
    coverage::print(&format!(
        "kill -9 of postroom: {} of {SENDS} acknowledged, lost 0, doubled 0, back after {back_ms} ms; {verified}",
        acknowledged.len()
    ));
}

however_gathered![what_was_acknowledged_before_kill_9_is_there_after_the_restart];
