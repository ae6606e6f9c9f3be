//! Repeated `kill -9` while mailboxes settle a bulk message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt as _, stream};
use proto::sys::v1 as sys;
use support::boxes;
use support::process::{Deployment, ServerProcess, SystemClient};
use support::{coverage, on_each_database};

use crate::api::builders::{news, text};

/// Recipients of one notice.
const TOGETHER: usize = 500;
/// Default number of mailboxes.
const MAILBOXES: usize = 2_000;
const MAILBOXES_VARIABLE: &str = "POSTROOM_TORTURE_MAILBOXES";
const KILLS: usize = 3;
const IN_FLIGHT: usize = 64;

fn mailboxes() -> usize {
    std::env::var(MAILBOXES_VARIABLE)
        .ok()
        .map_or(MAILBOXES, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{MAILBOXES_VARIABLE} is no number"))
        })
}

fn owner(number: usize) -> String {
    format!("owner{number}")
}

async fn begin(app: &mut SystemClient, count: usize) {
    let all: Vec<String> = (0..count).map(owner).collect();
    for some in all.chunks(TOGETHER) {
        let request = sys::SendMessageRequest {
            to: some.to_vec(),
            content: Some(text("hello")),
            sender: Some(news()),
            ..Default::default()
        };
        let sent = app.send_message(request).await.expect("it is sent");
        assert_eq!(sent.into_inner().actual as usize, some.len());
    }
}

/// Reads the counts of a mailbox, which settles it: messages in the inbox, and unread ones.
async fn look(mut app: SystemClient, number: usize) -> Option<(u32, u32)> {
    let request = sys::GetMessageCountsForOwnerRequest {
        owner_profile_id: owner(number),
    };
    let counted = app.get_message_counts_for_owner(request).await.ok()?;
    let boxes = counted.into_inner().boxes;
    let inbox = boxes::named(&boxes, "inbox");
    Some((inbox.total, inbox.unread))
}

/// Reads all mailboxes, and kills the service after `answers` answers.
async fn interrupted(server: &ServerProcess, count: usize, answers: usize) -> usize {
    let mut victim = Some(server.killer());
    let app = server.system();
    let answered = Arc::new(AtomicUsize::new(0));
    let looks = stream::iter(0..count).map(|number| look(app.clone(), number));
    let mut looks = looks.buffer_unordered(IN_FLIGHT);
    while let Some(found) = looks.next().await {
        let Some(found) = found else { continue };
        assert_eq!(found, (2, 2));
        if answered.fetch_add(1, Ordering::Relaxed) + 1 == answers
            && let Some(kill) = victim.take()
        {
            kill();
        }
    }
    answered.load(Ordering::Relaxed)
}

async fn a_bulk_message_reaches_each_mailbox_once_over_crashes(deployment: &Deployment) {
    let count = mailboxes();
    let server = deployment.serve();
    let mut app = server.system();
    begin(&mut app, count).await;
    let request = sys::SendBulkRequest {
        content: Some(text("to all")),
        sender: Some(news()),
        ..Default::default()
    };
    let message_id = app.send_bulk(request).await.expect("it is sent");
    let message_id = message_id.into_inner().message_id;
    let mut settled = Vec::new();
    let mut server = Some(server);
    for kill in 1..=KILLS {
        let running = server.take().unwrap_or_else(|| deployment.serve());
        let answers = kill * count / (2 * KILLS);
        settled.push(interrupted(&running, count, answers).await);
    }
    let server = deployment.serve();
    let app = server.system();
    let looks = stream::iter(0..count).map(|number| look(app.clone(), number));
    let found: Vec<_> = looks.buffer_unordered(IN_FLIGHT).collect().await;
    let wrong = found.iter().filter(|found| **found != Some((2, 2))).count();
    assert_eq!(wrong, 0, "some have it twice, or not at all");
    let request = sys::GetBulkRequest { message_id };
    let report = app.clone().get_bulk(request).await.expect("a report");
    let taken = report.into_inner().settled;
    assert_eq!(usize::try_from(taken).expect("a number"), count);
    drop(server);
    let verified = deployment.verify();
    coverage::print(&format!(
        "kill -9 of postroom, {KILLS} times, after {settled:?} of {count} mailboxes took a message to \
         everyone: each has it once; {verified}"
    ));
}

on_each_database![
    #[ignore = "second gear: takes minutes"]
    a_bulk_message_reaches_each_mailbox_once_over_crashes,
];
