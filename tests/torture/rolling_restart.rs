//! Three replicas that are replaced one after the other, and clients that try again.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::process::{Deployment, ServerProcess, UserClient, postroom};
use support::store::{DatabaseKind, TestEnvironment as _};
use support::{command, coverage};
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use super::sends::{RECIPIENTS, delivered, missing, recipient, request};

const REPLICAS: usize = 3;
const SENDERS: usize = 8;
/// Default number of streams; at most twenty for each recipient.
const STREAMS: usize = 30;
const STREAMS_VARIABLE: &str = "POSTROOM_ROLLED_STREAMS";
/// Time between two restarts.
const CALM: Duration = Duration::from_millis(500);
/// Time within which a replica ends.
const END_WITHIN: Duration = Duration::from_secs(15);
/// Time within which all streams see everything after the last send.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// Pause of a client whose refusal has no retry delay.
const PAUSE: Duration = Duration::from_millis(50);

struct RollingReplicas {
    replicas: [RwLock<ServerProcess>; REPLICAS],
    alice: String,
    readers: Vec<String>,
    next: AtomicUsize,
    ends: AtomicBool,
    end: OnceLock<ExpectedEnd>,
}

/// Messages of each recipient, and the deadline for its streams.
struct ExpectedEnd {
    messages: Vec<BTreeSet<String>>,
    by: Instant,
}

/// Numbers of failed calls by cause.
#[derive(Debug, Default)]
struct RefusalCounts {
    /// The connection had ended.
    cut: usize,
    /// The server named a retry delay.
    later: usize,
    /// Anything else: what a client may not repeat.
    other: BTreeSet<String>,
}

impl RefusalCounts {
    /// Counts the refusal, and waits for its retry delay.
    async fn wait(&mut self, status: &Status) {
        let told = status.get_details_retry_info();
        let told = told.and_then(|info| info.retry_delay);
        match told {
            Some(_) => self.later += 1,
            None if status.source().is_some() => self.cut += 1,
            None => drop(self.other.insert(format!("{status:?}"))),
        }
        sleep(told.unwrap_or(PAUSE)).await;
    }

    fn add(&mut self, other: Self) {
        self.cut += other.cut;
        self.later += other.later;
        self.other.extend(other.other);
    }
}

impl RollingReplicas {
    fn begin(deployment: &Deployment, streams: usize) -> Self {
        let folder = deployment.data_dir().display().to_string();
        let token = |number| {
            let sub = recipient(number);
            let mut minted = postroom(["token", "--sub", &sub, "--data-dir", &folder]);
            let token = command::run(&mut minted).expect("a token");
            token.trim().to_owned()
        };
        let first = deployment.serve();
        let alice = first.tokens.alice.clone();
        Self {
            replicas: [first, deployment.serve(), deployment.serve()].map(RwLock::new),
            alice,
            readers: (0..RECIPIENTS.min(streams)).map(token).collect(),
            next: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
            end: OnceLock::new(),
        }
    }

    /// A client of one of the replicas.
    fn client(&self, replica: usize, token: &str) -> UserClient {
        let server = self.replicas[replica % REPLICAS].read();
        let server = server.unwrap_or_else(PoisonError::into_inner);
        server.messaging(token)
    }

    /// Replaces a replica: how long the old one took to end.
    fn replace(&self, deployment: &Deployment, replica: usize) -> Duration {
        let mut server = self.replicas[replica]
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *server, deployment.serve());
        drop(server);
        let began = Instant::now();
        old.terminate();
        assert!(old.wait().success());
        began.elapsed()
    }

    fn has_ended(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }
}

/// Sends message after message, each again by way of the next replica until it is acknowledged.
async fn send(
    world: Arc<RollingReplicas>,
    mut replica: usize,
) -> (BTreeMap<usize, String>, RefusalCounts) {
    let (mut acknowledged, mut refusals) = (BTreeMap::new(), RefusalCounts::default());
    let mut alice = world.client(replica, &world.alice);
    while !world.has_ended() {
        let number = world.next.fetch_add(1, Ordering::Relaxed);
        let id = loop {
            match alice.send_message_simple(request(number)).await {
                Ok(sent) => break sent.into_inner().message_id,
                Err(status) => refusals.wait(&status).await,
            }
            replica += 1;
            alice = world.client(replica, &world.alice);
        };
        acknowledged.insert(number, id);
    }
    (acknowledged, refusals)
}

/// A subscriber that resumes on the next replica.
struct ResumingReader {
    recipient: usize,
    cursor: String,
    seen: Vec<String>,
    refusals: RefusalCounts,
    streams: usize,
}

impl ResumingReader {
    /// Follows on one replica after the other until it has seen all, or its time is over.
    async fn follow(&mut self, world: &RollingReplicas, mut replica: usize) {
        while !self.is_done(world) {
            let request = v1::SubscribeRequest {
                cursor: self.cursor.clone(),
                view: v1::MessageView::Metadata.into(),
                ..Default::default()
            };
            let mut client = world.client(replica, &world.readers[self.recipient]);
            match client.subscribe(request).await {
                Ok(stream) => {
                    self.streams += 1;
                    self.read(world, stream.into_inner()).await;
                }
                Err(status) => self.refusals.wait(&status).await,
            }
            replica += 1;
        }
    }

    async fn read(
        &mut self,
        world: &RollingReplicas,
        mut stream: Streaming<v1::SubscribeResponse>,
    ) {
        while !self.is_done(world) {
            let answer = match timeout(PAUSE, stream.message()).await {
                Ok(Ok(Some(answer))) => answer,
                Ok(Ok(None)) => return,
                Ok(Err(status)) => return self.refusals.wait(&status).await,
                Err(_) => continue,
            };
            let event = answer.event.expect("an event");
            self.cursor = event.cursor;
            match event.frame {
                Some(Frame::MessageReceived(entry)) => self.seen.push(entry.message_id),
                Some(Frame::Reconnect(reconnect)) => {
                    sleep(Duration::from_millis(reconnect.after_ms.into())).await;
                }
                _ => {}
            }
        }
    }

    fn is_done(&self, world: &RollingReplicas) -> bool {
        let all = |end: &ExpectedEnd| self.seen.len() >= end.messages[self.recipient].len();
        let end = world.end.get();
        end.is_some_and(|end| all(end) || Instant::now() > end.by)
    }
}

async fn follow(world: Arc<RollingReplicas>, number: usize) -> ResumingReader {
    let mut reader = ResumingReader {
        recipient: number % world.readers.len(),
        cursor: "0".to_owned(),
        seen: Vec::new(),
        refusals: RefusalCounts::default(),
        streams: 0,
    };
    reader.follow(&world, number).await;
    reader
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn a_rolling_restart_loses_nothing_for_clients_that_retry() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let streams = env::var(STREAMS_VARIABLE).ok();
    let streams = streams.map_or(STREAMS, |text| text.parse().expect("a number of streams"));
    let world = Arc::new(block_in_place(|| {
        RollingReplicas::begin(&deployment, streams)
    }));
    let reading = (0..streams).map(|number| tokio::spawn(follow(world.clone(), number)));
    let reading: Vec<_> = reading.collect();
    let sending = (0..SENDERS).map(|number| tokio::spawn(send(world.clone(), number)));
    let sending: Vec<_> = sending.collect();

    let mut ended = Vec::new();
    for replica in 0..REPLICAS {
        sleep(CALM).await;
        ended.push(block_in_place(|| world.replace(&deployment, replica)));
    }
    sleep(CALM).await;
    world.ends.store(true, Ordering::Relaxed);

    let (mut acknowledged, mut refusals) = (BTreeMap::new(), RefusalCounts::default());
    for of_sender in join_all(sending).await {
        let (sent, refused) = of_sender.expect("a sender");
        acknowledged.extend(sent);
        refusals.add(refused);
    }
    let mut messages = vec![BTreeSet::new(); RECIPIENTS];
    for (number, id) in &acknowledged {
        messages[number % RECIPIENTS].insert(id.clone());
    }
    let by = Instant::now() + SEEN_WITHIN;
    let end = world.end.get_or_init(|| ExpectedEnd { messages, by });
    let (mut missed, mut doubled, mut opened) = (0, 0, 0);
    for reader in join_all(reading).await {
        let reader = reader.expect("a reader");
        let seen: BTreeSet<String> = reader.seen.iter().cloned().collect();
        missed += end.messages[reader.recipient].difference(&seen).count();
        doubled += reader.seen.len() - seen.len();
        opened += reader.streams;
        refusals.add(reader.refusals);
    }
    let world = Arc::into_inner(world).expect("nobody else holds it");
    let [first, ..] = world.replicas;
    let first = first.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ids: Vec<String> = acknowledged.values().cloned().collect();
    let lost = missing(&first, &ids).await.len();
    let sent_twice = delivered(&first).await.abs_diff(ids.len());
    drop(first);
    coverage::print(&format!(
        "{REPLICAS} replicas replaced in turn, ended after {ended:.1?}: {} acknowledged, lost {lost}, \
         doubled {sent_twice}; {streams} followed on {opened} streams, missed {missed}, doubled \
         {doubled}; tried again after {} cut connections and {} refusals, {} others",
        ids.len(),
        refusals.cut,
        refusals.later,
        refusals.other.len(),
    ));
    assert_eq!(refusals.other, BTreeSet::new());
    assert_eq!((lost, sent_twice, missed, doubled), (0, 0, 0, 0));
    assert!(ended.iter().all(|took| *took < END_WITHIN), "{ended:?}");
    deployment.end(true).await;
}
