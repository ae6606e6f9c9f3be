//! Many clients over the same few mailboxes, on two replicas.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use prost::Message as _;
use proto::{sys, v1};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use support::process::{Deployment, ServerProcess, SystemClient, UserClient, postroom};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use support::{command, coverage, postgres};
use tonic::{Code, Status};

use super::seconds;
use super::sends::recipient;

/// Box limit that a run does not reach.
const BOX_MESSAGES: (&str, &str) = ("POSTROOM_POLICY__MAX_BOX_MESSAGES", "1000000");
/// Messages that clients remember and come back to.
const REMEMBERED: usize = 50;

/// Recently sent messages: sender and id.
type RecentMessages = Arc<Mutex<Vec<(usize, String)>>>;

/// A client that acts as all users and as the app.
struct RandomClient {
    users: Vec<UserClient>,
    app: SystemClient,
    lately: RecentMessages,
    dice: StdRng,
}

impl RandomClient {
    async fn act(&mut self) -> Result<(), Status> {
        let is_first = self.lately.lock().expect("nobody has panicked").is_empty();
        match self.dice.random_range(0..10) {
            _ if is_first => self.send().await,
            0..4 => self.send().await,
            4..6 => self.mark().await,
            6 => self.edit().await,
            7 => self.update().await,
            8 => self.delete_for_everyone().await,
            _ => self.delete_own().await,
        }
    }

    async fn send(&mut self) -> Result<(), Status> {
        let from = self.dice.random_range(0..self.users.len());
        let all: Vec<usize> = (0..self.users.len()).collect();
        let count = self.dice.random_range(1..=all.len());
        let to = all
            .sample(&mut self.dice, count)
            .map(|number| recipient(*number))
            .collect();
        let request = v1::SendMessageSimpleRequest {
            to,
            text: "storm".to_owned(),
            ..Default::default()
        };
        let sent = self.users[from]
            .send_message_simple(request)
            .await?
            .into_inner();
        let mut lately = self.lately.lock().expect("nobody has panicked");
        let place = self.dice.random_range(0..REMEMBERED);
        match lately.get_mut(place) {
            Some(old) => *old = (from, sent.message_id),
            None => lately.push((from, sent.message_id)),
        }
        Ok(())
    }

    /// Messages of lately, of one sender.
    fn pick(&mut self) -> (usize, Vec<String>) {
        let lately = self.lately.lock().expect("nobody has panicked");
        let from = lately.choose(&mut self.dice).map_or(0, |(from, _)| *from);
        let of_sender = lately.iter().filter(|(sender, _)| *sender == from);
        (from, of_sender.map(|(_, id)| id.clone()).take(5).collect())
    }

    async fn mark(&mut self) -> Result<(), Status> {
        let (_, message_ids) = self.pick();
        let reader = self.dice.random_range(0..self.users.len());
        let request = v1::MarkMessagesReadRequest {
            msgbox: "inbox".to_owned(),
            message_ids,
            unread: self.dice.random(),
            ..Default::default()
        };
        self.users[reader]
            .mark_messages_read(request)
            .await
            .map(drop)
    }

    async fn edit(&mut self) -> Result<(), Status> {
        let (from, ids) = self.pick();
        let request = v1::EditMessageRequest {
            message_id: ids.into_iter().next().unwrap_or_default(),
            content: Some(content()),
            ..Default::default()
        };
        self.users[from].edit_message(request).await.map(drop)
    }

    async fn update(&mut self) -> Result<(), Status> {
        let (_, ids) = self.pick();
        let request = sys::v1::UpdateMessageRequest {
            message_id: ids.into_iter().next().unwrap_or_default(),
            content: Some(content()),
            ..Default::default()
        };
        self.app.update_message(request).await.map(drop)
    }

    async fn delete_for_everyone(&mut self) -> Result<(), Status> {
        let (from, message_ids) = self.pick();
        self.delete(from, "sent", message_ids, v1::DeleteScope::Everyone)
            .await
    }

    async fn delete_own(&mut self) -> Result<(), Status> {
        let (_, message_ids) = self.pick();
        let owner = self.dice.random_range(0..self.users.len());
        self.delete(owner, "inbox", message_ids, v1::DeleteScope::OwnCopy)
            .await
    }

    async fn delete(
        &mut self,
        owner: usize,
        msgbox: &str,
        message_ids: Vec<String>,
        scope: v1::DeleteScope,
    ) -> Result<(), Status> {
        let request = v1::DeleteMessagesRequest {
            msgbox: msgbox.to_owned(),
            message_ids,
            scope: scope.into(),
            ..Default::default()
        };
        self.users[owner].delete_messages(request).await.map(drop)
    }
}

fn content() -> v1::Content {
    let json = prost_types::Value::from("another").encode_to_vec();
    v1::Content {
        body: Some(v1::content::Body::Json(json.into())),
    }
}

/// Codes and latencies of all calls.
#[derive(Default)]
struct CallTally {
    codes: BTreeMap<String, u64>,
    took: Vec<Duration>,
}

impl CallTally {
    fn add(&mut self, other: Self) {
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        self.took.extend(other.took);
    }

    fn p99(&mut self) -> Duration {
        self.took.sort_unstable();
        self.took[self.took.len() * 99 / 100]
    }
}

async fn run(mut client: RandomClient, until: Instant) -> CallTally {
    let mut tally = CallTally::default();
    while Instant::now() < until {
        let start = Instant::now();
        let done = client.act().await;
        tally.took.push(start.elapsed());
        let code = done.map_or_else(|status| status.code(), |()| Code::Ok);
        *tally.codes.entry(format!("{code:?}")).or_default() += 1;
    }
    tally
}

fn client(
    server: &ServerProcess,
    tokens: &[String],
    number: u64,
    lately: &RecentMessages,
) -> RandomClient {
    RandomClient {
        users: tokens.iter().map(|token| server.messaging(token)).collect(),
        app: server.system(),
        lately: lately.clone(),
        dice: StdRng::seed_from_u64(number),
    }
}

fn tokens(deployment: &Deployment, users: usize) -> Vec<String> {
    let data_dir = deployment.data_dir().display().to_string();
    let token = |number| {
        let profile = recipient(number);
        let mut token = postroom(["token", "--data-dir", &data_dir, "--sub", &profile]);
        command::run(&mut token).expect("a token").trim().to_owned()
    };
    (0..users).map(token).collect()
}

async fn deadlocks(database: &str) -> i64 {
    let mut connection = postgres::shared().connect().await.expect("a connection");
    let text = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1";
    let deadlocks = sqlx::query_scalar(text)
        .bind(database)
        .fetch_one(&mut connection)
        .await;
    deadlocks.expect("a number")
}

/// Runs clients over the mailboxes of `users` users, on two replicas.
async fn storm(clients: u64, users: usize) {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let TestDatabase::Postgres(database) = deployment.database() else {
        unreachable!("it was asked for")
    };
    let serve = || {
        let mut start = deployment.start();
        start
            .variables
            .push((BOX_MESSAGES.0, BOX_MESSAGES.1.to_owned()));
        ServerProcess::start(&start)
    };
    let replicas = [serve(), serve()];
    let (tokens, lately) = (tokens(&deployment, users), RecentMessages::default());
    let seconds = seconds();
    let until = Instant::now() + Duration::from_secs(seconds);
    let running = (0..clients).zip(replicas.iter().cycle());
    let running = running.map(|(number, server)| client(server, &tokens, number, &lately));
    let mut tally = CallTally::default();
    for of_client in join_all(running.map(|client| run(client, until))).await {
        tally.add(of_client);
    }

    // Sessions tell the statistics what they saw when they end.
    for replica in replicas {
        replica.terminate();
        assert!(replica.ended().await.success());
    }
    let deadlocks = deadlocks(&database.name).await;
    let verified = deployment.verify();
    let p99_ms = tally.p99().as_millis();
    coverage::print(&format!(
        "storm: {clients} clients on {users} users, 2 replicas, {seconds} s: {} calls {:?}, p99 {p99_ms} ms, dead-locks {deadlocks}; {verified}",
        tally.took.len(),
        tally.codes,
    ));
    assert_eq!(deadlocks, 0);
    // What is edited or updated may have been deleted by then.
    let expected = ["Ok", "NotFound"];
    assert!(
        tally
            .codes
            .keys()
            .all(|code| expected.contains(&code.as_str())),
        "{:?}",
        tally.codes
    );
    deployment.end(true).await;
}

#[tokio::test]
#[ignore = "second gear: takes minutes"]
async fn a_storm_over_ten_mailboxes_has_no_deadlock_and_no_drift() {
    storm(32, 10).await;
}

#[tokio::test]
#[ignore = "second gear: takes minutes"]
async fn a_storm_on_one_pair_of_users_has_no_deadlock_and_no_drift() {
    storm(64, 2).await;
}
