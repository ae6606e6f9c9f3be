//! `kill -9` in the middle of sends, edits and deletions: what is kept of users and of the app is as
//! exact as ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proto::v1;
use support::process::{Deployment, ServerProcess, UserClient};
use support::{coverage, on_each_database};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Status;

/// Rounds of sends, each of which the server is killed in.
const ROUNDS: usize = 5;
/// Messages after which the server is killed.
const MESSAGES: usize = 100;
/// Senders at a time.
const SENDERS: usize = 20;

/// Sends a message to a known user and to a new name, then edits it, deletes it, or leaves it.
async fn send(alice: &mut UserClient, number: usize) -> Result<(), Status> {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned(), format!("new-{number}")],
        text: "x".repeat(100 + number % 100),
        ..Default::default()
    };
    let sent = alice.send_message_simple(request).await?.into_inner();
    match number % 3 {
        0 => {
            let request = v1::DeleteMessagesRequest {
                msgbox: "sent".to_owned(),
                message_ids: vec![sent.message_id],
                scope: v1::DeleteScope::Everyone.into(),
                ..Default::default()
            };
            alice.delete_messages(request).await.map(drop)
        }
        1 => {
            let request = v1::EditMessageRequest {
                message_id: sent.message_id,
                content: Some(crate::api::builders::text("short")),
                ..Default::default()
            };
            alice.edit_message(request).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// Sends until the server is gone, which it is after [`MESSAGES`] answers. Returns the number of the
/// next message.
async fn interrupted(server: &ServerProcess, first: usize) -> usize {
    let kill = server.killer();
    let (answered, mut answers) = mpsc::unbounded_channel();
    let next = Arc::new(AtomicUsize::new(first));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let mut alice = server.messaging(&server.tokens.alice);
        let (answered, next) = (answered.clone(), next.clone());
        senders.spawn(async move {
            let number = || next.fetch_add(1, Ordering::Relaxed);
            while send(&mut alice, number()).await.is_ok() {
                // The receiver is there until all senders are gone.
                let _ = answered.send(());
            }
        });
    }
    drop(answered);
    for _ in 0..MESSAGES {
        answers.recv().await.expect("more answers");
    }
    kill();
    while answers.recv().await.is_some() {}
    next.load(Ordering::Relaxed)
}

async fn kept_bytes_and_usage_are_exact_after_kill_9(deployment: &Deployment) {
    let mut sent = 0;
    for _ in 0..ROUNDS {
        let server = deployment.serve();
        sent = interrupted(&server, sent).await;
        drop(server);
        let _ = deployment.verify();
    }
    let verified = deployment.verify();
    coverage::print(&format!(
        "kill -9 of postroom, {ROUNDS} times in {sent} sends, edits and deletions: {verified}"
    ));
}

on_each_database![
    #[ignore = "second gear: takes minutes"]
    kept_bytes_and_usage_are_exact_after_kill_9,
];
