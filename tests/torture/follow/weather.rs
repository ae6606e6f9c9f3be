//! Two replicas, those who write on them, and what befalls them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use proto::v1;
use rand::RngExt as _;
use sqlx::{Connection as _, PgConnection};
use support::command;
use support::process::{Home, Server, Start, UserClient, postroom};
use support::store::Place;
use tokio::time::{sleep, timeout};

/// A pause between two writes of one writer.
const PAUSE: Duration = Duration::from_millis(8);
const STOPPED: Duration = Duration::from_millis(1_500);

pub fn name(number: usize) -> String {
    format!("reader{number}")
}

pub struct World {
    replicas: [RwLock<Server>; 2],
    tokens: Vec<String>,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Storm,
    Calm,
    /// Nothing happens any more; all must be seen by then.
    Settling(Instant),
}

fn start(home: &Home, arguments: &[&str]) -> Start {
    Start {
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        ..home.start()
    }
}

impl World {
    pub fn begin(home: &Home, arguments: &[&str], readers: usize) -> Self {
        let replica = || RwLock::new(Server::start(&start(home, arguments)));
        let replicas = [replica(), replica()];
        let folder = home.data_dir().display().to_string();
        let token = |number| {
            let sub = name(number);
            let mut minted = postroom(["token", "--sub", &sub, "--data-dir", &folder]);
            let token = command::run(&mut minted).expect("a token");
            token.trim().to_owned()
        };
        Self {
            replicas,
            tokens: (0..readers).map(token).collect(),
            state: Mutex::new(State::Storm),
        }
    }

    /// A reader's client of a replica, with a connection of its own.
    pub fn user(&self, replica: usize, number: usize) -> UserClient {
        let server = self.replicas[replica]
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        server.messaging(&self.tokens[number])
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub fn calm(&self) {
        self.set(State::Calm);
    }

    pub fn settle(&self, deadline: Instant) {
        self.set(State::Settling(deadline));
    }

    /// By when all must be seen; none: things still happen.
    pub fn settling(&self) -> Option<Instant> {
        match self.state() {
            State::Settling(deadline) => Some(deadline),
            State::Storm | State::Calm => None,
        }
    }

    /// One blow: a replica is killed, or stopped for a while, or made deaf.
    pub async fn strike(&self, home: &Home, arguments: &[&str], number: usize) {
        let replica = &self.replicas[number / 3 % 2];
        match number % 3 {
            0 => {
                let kill = replica
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .killer();
                kill();
                let fresh = Server::start(&start(home, arguments));
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
            _ => deafen(home).await,
        }
    }
}

/// Cuts the connections of all who listen.
pub async fn deafen(home: &Home) {
    let Place::Postgres(database) = home.place() else {
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
pub async fn write(world: Arc<World>, number: usize) -> usize {
    let mut done = 0;
    let mut lately: Vec<(usize, String)> = Vec::new();
    let mut clients = Vec::new();
    while matches!(world.state(), State::Storm) {
        sleep(PAUSE).await;
        // New connections from time to time: the old ones may lead to nobody.
        if done % 50 == 0 || clients.is_empty() {
            let replica = rand::rng().random_range(0..2);
            let readers = 0..world.tokens.len();
            clients = readers.map(|reader| world.user(replica, reader)).collect();
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
