//! Slow readers beside healthy ones: memory, delays and losses.

use std::env;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::coverage;
use support::process::{Deployment, ServerProcess, UserClient};
use support::store::{DatabaseKind, TestEnvironment as _};
use support::tcp_proxy::TcpProxy;
use tokio::time::{sleep, timeout};
use tonic::{Code, Streaming};

use super::latency::figures;

/// Default number of healthy readers, beside about as many slow ones; at most 1,000.
const STREAMS: usize = 100;
const STREAMS_VARIABLE: &str = "POSTROOM_SLOW_STREAMS";
/// Streams of a profile: as many as it may have.
const STREAMS_EACH: usize = 20;
/// Messages whose bytes exceed the send buffer of a stream.
const MESSAGES: usize = 20;
const TEXT_BYTES: usize = 24_000;
/// Pause between two messages, so that the measurement excludes queueing.
const REST: Duration = Duration::from_millis(100);
/// Bytes that a client takes of a stream that it does not read, as most clients do.
const WINDOW_BYTES: u32 = 65_535;
/// Maximum memory of a stream, in bytes.
const COST_BYTES_MAX: u64 = 300 * 1024;
/// Time beyond the timeout for slow readers.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(13);
/// Longest wait. Only a hang reaches it.
const SOON: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

type EventStream = Streaming<v1::SubscribeResponse>;
/// Ids of seen messages, with their times.
type SeenMessages = Vec<(String, Instant)>;

/// Number of profiles whose streams are read.
fn profiles() -> usize {
    let streams = env::var(STREAMS_VARIABLE).ok();
    let streams = streams.map_or(STREAMS, |text| text.parse().expect("a number of streams"));
    streams.div_ceil(STREAMS_EACH)
}

fn names(kind: &str, count: usize) -> Vec<String> {
    let name = |number| format!("{kind}{number}");
    (0..count).map(name).collect()
}

async fn open(user: &mut UserClient, cursor: &str) -> EventStream {
    let request = v1::SubscribeRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    let stream = user.subscribe(request).await;
    stream.expect("a stream").into_inner()
}

/// A reader, and how far it has come.
struct TimedReader {
    stream: EventStream,
    token: String,
    cursor: String,
    seen: SeenMessages,
}

impl TimedReader {
    /// Opens the streams of a profile on one connection, each up to where nothing waits.
    async fn open(mut user: UserClient, token: &str) -> Vec<Self> {
        let mut readers = Vec::new();
        for _ in 0..STREAMS_EACH {
            let mut reader = Self {
                stream: open(&mut user, "").await,
                token: token.to_owned(),
                cursor: String::new(),
                seen: SeenMessages::new(),
            };
            while !matches!(reader.next().await, Ok(Some(Frame::CaughtUp(_)))) {}
            readers.push(reader);
        }
        readers
    }

    async fn next(&mut self) -> Result<Option<Frame>, tonic::Status> {
        let next = timeout(SOON, self.stream.message()).await;
        let Some(answer) = next.expect("a frame, or an end")? else {
            return Ok(None);
        };
        let event = answer.event.expect("an event");
        self.cursor = event.cursor;
        if let Some(Frame::MessageReceived(entry)) = &event.frame {
            self.seen.push((entry.message_id.clone(), Instant::now()));
        }
        Ok(event.frame)
    }

    /// Reads until `count` messages are seen; the code if the stream ends before.
    async fn read(&mut self, count: usize) -> Option<Code> {
        while self.seen.len() < count {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Some(Code::Ok),
                Err(status) => return Some(status.code()),
            }
        }
        None
    }

    /// End of the stream, and the ids of all messages after resuming it.
    async fn come_again(mut self, server: &ServerProcess) -> (Option<Code>, Vec<String>) {
        let end = self.read(2 * MESSAGES).await;
        if end.is_some() {
            self.stream = open(&mut server.messaging(&self.token), &self.cursor).await;
            assert_eq!(self.read(2 * MESSAGES).await, None);
        }
        (end, self.seen.into_iter().map(|(id, _)| id).collect())
    }
}

/// Spawns a task that reads all frames.
fn read_on(mut reader: TimedReader, seen: Arc<Mutex<SeenMessages>>) {
    tokio::spawn(async move {
        while let Ok(Some(_)) = reader.next().await {
            let mut seen = seen.lock().expect("nobody has panicked");
            seen.append(&mut reader.seen);
        }
    });
}

/// Sends to all of these; which messages, and when they were acknowledged.
async fn send_all(server: &ServerProcess, to: &[String]) -> SeenMessages {
    let mut alice = server.messaging(&server.tokens.alice);
    let mut sent = SeenMessages::new();
    for _ in 0..MESSAGES {
        let request = v1::SendMessageSimpleRequest {
            to: to.to_vec(),
            text: "x".repeat(TEXT_BYTES),
            ..Default::default()
        };
        let answer = alice.send_message_simple(request).await;
        let id = answer.expect("it is sent").into_inner().message_id;
        sent.push((id, Instant::now()));
        sleep(REST).await;
    }
    sent
}

/// Delays from the replies to the frames, once each message was seen `times` times.
async fn delays(sent: &SeenMessages, seen: &Mutex<SeenMessages>, times: usize) -> Vec<Duration> {
    let all = async {
        loop {
            let seen = seen.lock().expect("nobody has panicked").clone();
            if seen.len() >= sent.len() * times {
                return seen;
            }
            sleep(PAUSE).await;
        }
    };
    let all = timeout(SOON, all).await.expect("all is seen");
    seen.lock().expect("nobody has panicked").clear();
    let delay = |(id, at): &(String, Instant)| {
        let (_, replied) = sent.iter().find(|(sent, _)| sent == id)?;
        Some(at.saturating_duration_since(*replied))
    };
    all.iter().filter_map(delay).collect()
}

fn median(mut delays: Vec<Duration>) -> Duration {
    delays.sort_unstable();
    delays[delays.len() / 2]
}

/// Waits until slow readers are cut off, and returns the peak memory of the service.
async fn until_cut_off(server: &ServerProcess) -> u64 {
    let mut most = 0;
    let began = Instant::now();
    while began.elapsed() < GIVEN_UP_AFTER {
        most = server.memory_bytes().max(most);
        sleep(PAUSE).await;
    }
    most
}

/// Asserts that frames that wait for a profile's streams hold their slots.
async fn has_no_place_left(server: &ServerProcess, token: &str) {
    let refused = server
        .messaging(token)
        .subscribe(v1::SubscribeRequest::default())
        .await;
    let refused = refused.expect_err("its places are taken");
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
#[ignore = "second gear: measures memory"]
async fn slow_readers_take_bounded_memory_delay_no_other_reader_and_lose_nothing() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let half = profiles().div_ceil(2);
    let healthy = names("healthy", profiles());
    let (closed, silent) = (names("closed", half), names("silent", half));
    let seen = Arc::new(Mutex::new(SeenMessages::new()));
    for name in &healthy {
        let token = deployment.token("demo", name);
        for reader in TimedReader::open(server.messaging(&token), &token).await {
            read_on(reader, seen.clone());
        }
    }
    let streams = healthy.len() * STREAMS_EACH;
    let everybody = [&healthy[..], &closed, &silent].concat();
    let sent = send_all(&server, &everybody).await;
    let alone = delays(&sent, &seen, streams).await;
    let before = server.memory_bytes();

    // One half does not read, the other is at the end of a line on which nothing moves.
    let line = TcpProxy::to(server.user).await;
    let mut readers = Vec::new();
    let mut of_closed = Vec::new();
    for (number, name) in closed.iter().chain(&silent).enumerate() {
        let token = deployment.token("demo", name);
        let address = if number < closed.len() {
            of_closed.push(token.clone());
            server.user
        } else {
            line.address()
        };
        let user = ServerProcess::messaging_through(address, &token, WINDOW_BYTES);
        readers.extend(TimedReader::open(user, &token).await);
    }
    line.hang();
    let filled = send_all(&server, &everybody).await;
    delays(&filled, &seen, streams).await;
    // From here on nothing more is put before them.
    let sent = send_all(&server, &everybody).await;
    let beside = delays(&sent, &seen, streams).await;
    let most = until_cut_off(&server).await;
    for token in &of_closed {
        has_no_place_left(&server, token).await;
    }
    line.cut();

    let slow = u64::try_from(readers.len()).expect("a number");
    let each = most.saturating_sub(before) / slow;
    let expected = filled.iter().chain(&sent).map(|(id, _)| id.clone());
    let expected: Vec<String> = expected.collect();
    let again = readers.into_iter().map(|reader| reader.come_again(&server));
    let again = join_all(again).await;
    let right = again.iter().filter(|(_, seen)| *seen == expected).count();
    let of_code = |code| again.iter().filter(|(end, _)| *end == Some(code)).count();
    let cut_off = of_code(Code::ResourceExhausted);
    coverage::print(&format!(
        "{slow} readers that take nothing beside {streams}: {} KiB each at most; seen by the \
         others alone {}, beside them {}; {cut_off} cut off as slow, {right} came again and missed \
         nothing",
        each / 1024,
        figures(alone.clone()),
        figures(beside.clone()),
    ));
    // Not a measurement: they would wait as long as the slow ones.
    assert!(median(beside) <= median(alone) * 3 + REST);
    assert!(each <= COST_BYTES_MAX, "{each}");
    assert_eq!(cut_off, closed.len() * STREAMS_EACH);
    assert_eq!(right, again.len());
    server.terminate();
    assert!(server.ended().await.success());
    deployment.end(true).await;
}
