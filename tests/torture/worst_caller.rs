//! The worst of one user at the default quotas, beside a user of another app.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use proto::{sys, v1};
use support::process::{Deployment, ServerProcess, UserClient};
use support::raw_http2::RawConnection;
use support::{coverage, on_each_database};
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};
use tonic::Status;

use super::bystander::{Bystander, send};
use super::latency::figures;
use super::seconds;
use crate::api::builders::news;

/// The default quotas, which the tests lift otherwise.
const QUOTAS: [(&str, &str); 4] = [
    ("POSTROOM_QUOTAS__PROFILE_CALLS_PER_SECOND", "200"),
    ("POSTROOM_QUOTAS__PROFILE_CALLS_BURST", "1000"),
    ("POSTROOM_QUOTAS__PROFILE_SENDS_PER_SECOND", "50"),
    ("POSTROOM_QUOTAS__PROFILE_SENDS_BURST", "250"),
];
/// Messages in the box of the worst user for each second of an attack: 10,000 at the default.
const MESSAGES_PER_SECOND: usize = 500;
/// Large messages, of which one answer takes all.
const LARGE_MESSAGES: usize = 96;
const LARGE_TEXT_BYTES: usize = 32_000;
/// Calls at once of the worst user, and of the app that fills his box.
const AT_ONCE: usize = 32;
/// Messages that one call marks or deletes.
const MESSAGE_IDS: usize = 500;
const RECIPIENTS: usize = 100;
/// Interval of the calls of the worst user: those of the quota.
const ATTACK_INTERVAL: Duration = Duration::from_millis(5);
/// Memory that one user may cost.
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
const USUAL_WINDOW: u32 = 65_535;

/// Attack of a user within the quotas.
#[derive(Debug, Clone, Copy)]
enum Attack {
    UnsentRequests,
    UntakenAnswers,
    CountedPages,
    Clears,
    Marks,
    Recalls,
}

const ATTACKS: [Attack; 6] = [
    Attack::UnsentRequests,
    Attack::UntakenAnswers,
    Attack::CountedPages,
    Attack::Marks,
    Attack::Recalls,
    Attack::Clears,
];

/// The worst user.
#[derive(Clone)]
struct Attacker {
    server: Arc<ServerProcess>,
    message_ids: Vec<String>,
    large_ids: Vec<String>,
    pace: Arc<Mutex<Interval>>,
}

impl Attacker {
    /// Waits until the quota allows another call.
    async fn pace(&self) {
        self.pace.lock().await.tick().await;
    }

    /// Attacks until it is aborted. Refusals change nothing.
    async fn attack(&self, attack: Attack, number: usize) {
        let mut alice = self.server.messaging(&self.server.tokens.alice);
        let mut round = 0;
        loop {
            round += 1;
            self.pace().await;
            let _ = match attack {
                Attack::UnsentRequests => self.leave_requests_unsent().await,
                Attack::UntakenAnswers => self.leave_answers_untaken().await,
                Attack::CountedPages => count_pages(&mut alice).await,
                Attack::Clears => self.send_and_clear(&mut alice).await,
                Attack::Marks => self.mark(&mut alice, number, round % 2 == 0).await,
                Attack::Recalls => self.send_and_recall(&mut alice, number).await,
            };
        }
    }

    async fn leave_requests_unsent(&self) -> Result<(), Status> {
        let mut connection = RawConnection::open(self.server.user, USUAL_WINDOW).await;
        let mut calls = Vec::new();
        for _ in 0..100 {
            self.pace().await;
            let method = "postroom.v1.Messaging/GetMessageCounts";
            let call = connection.begin(method, &self.server.tokens.alice, "30S");
            match call.await {
                Ok(call) => calls.push(call.answer()),
                Err(_) => break,
            }
        }
        join_all(calls).await;
        Ok(())
    }

    async fn leave_answers_untaken(&self) -> Result<(), Status> {
        let mut connection = RawConnection::open(self.server.user, 1).await;
        let request = v1::GetMessagesRequest {
            msgbox: "inbox".to_owned(),
            message_ids: self.large_ids.clone(),
            ..Default::default()
        };
        let mut untaken = Vec::new();
        for _ in 0..100 {
            self.pace().await;
            let method = "postroom.v1.Messaging/GetMessages";
            let call = connection.call(method, &self.server.tokens.alice, "30S", &request);
            let Ok(call) = call.await else { break };
            untaken.push(call.answer().await);
        }
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    async fn mark(&self, alice: &mut UserClient, number: usize, read: bool) -> Result<(), Status> {
        let parts = self.message_ids.len() / MESSAGE_IDS;
        let first = number % parts * MESSAGE_IDS;
        let request = v1::MarkMessagesReadRequest {
            msgbox: "inbox".to_owned(),
            message_ids: self.message_ids[first..first + MESSAGE_IDS].to_vec(),
            unread: !read,
            ..Default::default()
        };
        alice.mark_messages_read(request).await.map(drop)
    }

    async fn send_and_clear(&self, alice: &mut UserClient) -> Result<(), Status> {
        let sent = send(alice, vec!["alice".to_owned()]).await;
        for msgbox in ["inbox", "sent"] {
            let request = v1::ClearMessagesRequest {
                msgbox: msgbox.to_owned(),
                ..Default::default()
            };
            self.pace().await;
            alice.clear_messages(request).await?;
        }
        sent.map(drop)
    }

    async fn send_and_recall(&self, alice: &mut UserClient, number: usize) -> Result<(), Status> {
        let to = (0..RECIPIENTS).map(|recipient| format!("r{number}-{recipient}"));
        let to: Vec<String> = to.collect();
        let mut message_ids = Vec::new();
        while let Ok(message_id) = send(alice, to.clone()).await {
            message_ids.push(message_id);
            self.pace().await;
            if message_ids.len() == MESSAGE_IDS {
                break;
            }
        }
        let request = v1::DeleteMessagesRequest {
            msgbox: "sent".to_owned(),
            message_ids,
            scope: v1::DeleteScope::Everyone.into(),
            ..Default::default()
        };
        alice.delete_messages(request).await.map(drop)
    }
}

async fn count_pages(alice: &mut UserClient) -> Result<(), Status> {
    let request = v1::GetMessagesPageRequest {
        context: Some(v1::PageContext {
            search_criteria: Some(v1::SearchCriteria {
                msgbox: "inbox".to_owned(),
                sender_profile_id: "nobody".to_owned(),
                ..Default::default()
            }),
            pagination: Some(v1::Pagination {
                rows_per_page: 1,
                do_count: true,
                ..Default::default()
            }),
            ..Default::default()
        }),
    };
    alice.get_messages_page(request).await.map(drop)
}

/// Fills the inbox of the worst user, and returns the ids of the messages.
async fn fill(server: &ServerProcess, messages: usize, text_bytes: usize) -> Vec<String> {
    let senders = (0..AT_ONCE).map(|number| async move {
        let mut app = server.system();
        let mut message_ids = Vec::new();
        for _ in (number..messages).step_by(AT_ONCE) {
            let sent = app.send_message_simple(sys::v1::SendMessageSimpleRequest {
                to: vec!["alice".to_owned()],
                text: "x".repeat(text_bytes),
                sender: Some(news()),
                ..Default::default()
            });
            message_ids.push(sent.await.expect("a message").into_inner().message_id);
        }
        message_ids
    });
    join_all(senders).await.concat()
}

async fn the_worst_of_one_user_stops_no_other_app(deployment: &Deployment) {
    let mut start = deployment.start();
    for (name, value) in QUOTAS {
        start.variables.push((name, value.to_owned()));
    }
    let server = Arc::new(ServerProcess::start(&start));
    let bob = deployment.token("other", "bob");
    let messages = MESSAGES_PER_SECOND * usize::try_from(seconds()).expect("a few");
    let mut pace = interval(ATTACK_INTERVAL);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let attacker = Attacker {
        pace: Arc::new(Mutex::new(pace)),
        large_ids: fill(&server, LARGE_MESSAGES, LARGE_TEXT_BYTES).await,
        message_ids: fill(&server, messages.min(9_500), 10).await,
        server: server.clone(),
    };
    let time = Duration::from_secs(seconds());
    let alone = Bystander::call(&server, &bob, time).await;
    let idle_bytes = server.memory_bytes();
    coverage::print(&format!(
        "another app's user alone: {}",
        figures(alone.delays)
    ));
    for attack in ATTACKS {
        let attacks: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let attacker = attacker.clone();
                tokio::spawn(async move { attacker.attack(attack, number).await })
            })
            .collect();
        let seen = Bystander::call(&server, &bob, time).await;
        for attack in attacks {
            attack.abort();
        }
        let memory = seen.memory_bytes.saturating_sub(idle_bytes);
        coverage::print(&format!(
            "beside {attack:?}: {}, refused {}, memory {} MiB above idle",
            figures(seen.delays),
            seen.refused.len(),
            memory >> 20
        ));
        assert!(seen.refused.is_empty(), "{attack:?}: {:?}", seen.refused);
        assert!(memory <= MEMORY_BYTES_MAX, "{attack:?}: {memory} bytes");
        sleep(Duration::from_secs(1)).await;
    }
}

on_each_database![
    #[ignore = "second gear: measures time"]
    the_worst_of_one_user_stops_no_other_app,
];
