//! Replicas with writers and faults.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use proto::v1;
use rand::RngExt as _;
use sqlx::{Connection as _, PgConnection};
use support::command;
use support::process::{Deployment, ServerProcess, StartOptions, UserClient, postroom};
use support::store::TestDatabase;
use tokio::time::{sleep, timeout};

/// A pause between two writes of one writer.
const PAUSE: Duration = Duration::from_millis(8);
const STOPPED: Duration = Duration::from_millis(1_500);

pub fn name(number: usize) -> String {
    format!("reader{number}")
}

pub struct FaultyReplicas {
    /// Two; one on `SQLite`, whose file serves one process.
    replicas: Vec<RwLock<ServerProcess>>,
    tokens: Vec<String>,
    state: Mutex<FaultPhase>,
}

#[derive(Clone, Copy)]
enum FaultPhase {
    Storm,
    Calm,
    /// No more writes and faults; deadline for the readers.
    Settling(Instant),
}

fn start(deployment: &Deployment, arguments: &[&str]) -> StartOptions {
    StartOptions {
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        ..deployment.start()
    }
}

impl FaultyReplicas {
    pub fn begin(deployment: &Deployment, arguments: &[&str], readers: usize) -> Self {
        let replica = || RwLock::new(ServerProcess::start(&start(deployment, arguments)));
        let replicas = match deployment.database() {
            TestDatabase::Sqlite(_) => vec![replica()],
            TestDatabase::Postgres(_) => vec![replica(), replica()],
        };
        let folder = deployment.data_dir().display().to_string();
        let token = |number| {
            let sub = name(number);
            let mut minted = postroom(["token", "--sub", &sub, "--data-dir", &folder]);
            let token = command::run(&mut minted).expect("a token");
            token.trim().to_owned()
        };
        Self {
            replicas,
            tokens: (0..readers).map(token).collect(),
            state: Mutex::new(FaultPhase::Storm),
        }
    }

    /// A reader's client of any replica, with a connection of its own.
    pub fn user(&self, number: usize) -> UserClient {
        let replica = rand::rng().random_range(0..self.replicas.len());
        let server = self.replicas[replica]
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        server.messaging(&self.tokens[number])
    }

    fn state(&self) -> FaultPhase {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: FaultPhase) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub fn calm(&self) {
        self.set(FaultPhase::Calm);
    }

    pub fn settle(&self, deadline: Instant) {
        self.set(FaultPhase::Settling(deadline));
    }

    /// Deadline for the readers, once writes and faults have ended.
    pub fn settling(&self) -> Option<Instant> {
        match self.state() {
            FaultPhase::Settling(deadline) => Some(deadline),
            FaultPhase::Storm | FaultPhase::Calm => None,
        }
    }

    /// Strikes with a fault: kills a replica, pauses it, or cuts its notifications.
    pub async fn strike(&self, deployment: &Deployment, arguments: &[&str], number: usize) {
        let replica = &self.replicas[number / 3 % self.replicas.len()];
        match number % 3 {
            0 => {
                replica
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .crash();
                let fresh = ServerProcess::start(&start(deployment, arguments));
                *replica.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            }
            1 => {
                let resume = replica
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pause();
                sleep(STOPPED).await;
                resume();
            }
            _ => deafen(deployment).await,
        }
    }
}

/// Terminates all LISTEN connections.
pub async fn deafen(deployment: &Deployment) {
    let TestDatabase::Postgres(database) = deployment.database() else {
        return;
    };
    let connection = PgConnection::connect(&database.url).await;
    let mut connection = connection.expect("a connection");
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .execute(&mut connection)
    .await
    .expect("it cuts");
}

/// Sends, marks and deletes until the storm is over; how much of it was acknowledged.
pub async fn write(replicas: Arc<FaultyReplicas>, number: usize) -> usize {
    let mut done = 0;
    let mut lately: Vec<(usize, String)> = Vec::new();
    let mut clients = Vec::new();
    while matches!(replicas.state(), FaultPhase::Storm) {
        sleep(PAUSE).await;
        // New connections from time to time: old ones may lead to a dead replica.
        if done % 50 == 0 || clients.is_empty() {
            let readers = 0..replicas.tokens.len();
            clients = readers.map(|reader| replicas.user(reader)).collect();
        }
        let written = timeout(
            Duration::from_secs(3),
            deed(&mut clients, &mut lately, number),
        );
        match written.await {
            Ok(Ok(())) => done += 1,
            Ok(Err(_)) | Err(_) => clients.clear(),
        }
    }
    done
}

async fn deed(
    clients: &mut [UserClient],
    lately: &mut Vec<(usize, String)>,
    writer: usize,
) -> Result<(), tonic::Status> {
    let (dice, to) = {
        let mut random = rand::rng();
        (
            random.random_range(0..10),
            random.random_range(0..clients.len()),
        )
    };
    let from = (to + writer + 1) % clients.len();
    if dice < 5 || lately.is_empty() {
        let request = v1::SendMessageSimpleRequest {
            to: vec![name(to), name((to + 1) % clients.len())],
            text: "storm".to_owned(),
            ..Default::default()
        };
        let sent = clients[from].send_message_simple(request).await?;
        lately.push((to, sent.into_inner().message_id));
        return Ok(());
    }
    let place = rand::rng().random_range(0..lately.len());
    let (owner, id) = lately[place].clone();
    if dice < 8 {
        let request = v1::MarkMessagesReadRequest {
            msgbox: "inbox".to_owned(),
            message_ids: vec![id],
            unread: dice == 5,
            ..Default::default()
        };
        clients[owner].mark_messages_read(request).await?;
    } else {
        lately.swap_remove(place);
        let request = v1::DeleteMessagesRequest {
            msgbox: "inbox".to_owned(),
            message_ids: vec![id],
            ..Default::default()
        };
        clients[owner].delete_messages(request).await?;
    }
    Ok(())
}
