//! Readers that take nothing beside those that do: what they cost, and whom.

use std::env;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::line::Line;
use support::process::{Home, Server, UserClient, postroom};
use support::store::{Backend, Site as _};
use support::{command, coverage};
use tokio::time::{sleep, timeout};
use tonic::{Code, Streaming};

use super::latency::figures;

/// Readers that read, and about as many that do not, unless the variable says otherwise: up to
/// 1,000.
const STREAMS: usize = 100;
const STREAMS_VARIABLE: &str = "POSTROOM_SLOW_STREAMS";
/// As many as a profile may have.
const STREAMS_EACH: usize = 20;
/// More bytes than may wait for a reader.
const MESSAGES: usize = 20;
const TEXT_BYTES: usize = 24_000;
/// How long a sender rests between two messages, so that what is measured is not the queue.
const REST: Duration = Duration::from_millis(100);
/// Bytes that a client takes of a stream that it does not read, as most clients do.
const WINDOW_BYTES: u32 = 65_535;
/// What a stream may cost.
const COST_BYTES_MAX: u64 = 300 * 1024;
/// Longer than the server waits for who takes nothing.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(13);
/// Longer than anything takes.
const SOON: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

type Stream = Streaming<v1::SubscribeResponse>;
/// Which messages were seen, and when.
type Seen = Vec<(String, Instant)>;

/// How many profiles have streams that are read.
fn profiles() -> usize {
    let streams = env::var(STREAMS_VARIABLE).ok();
    let streams = streams.map_or(STREAMS, |text| text.parse().expect("a number of streams"));
    streams.div_ceil(STREAMS_EACH)
}

fn names(kind: &str, count: usize) -> Vec<String> {
    let name = |number| format!("{kind}{number}");
    (0..count).map(name).collect()
}

fn token(home: &Home, profile: &str) -> String {
    let folder = home.data_dir().display().to_string();
    let mut minted = postroom(["token", "--sub", profile, "--data-dir", &folder]);
    let token = command::run(&mut minted).expect("a token");
    token.trim().to_owned()
}

async fn open(user: &mut UserClient, cursor: &str) -> Stream {
    let request = v1::SubscribeRequest {
        cursor: cursor.to_owned(),
        ..Default::default()
    };
    let stream = user.subscribe(request).await;
    stream.expect("a stream").into_inner()
}

/// A reader, and how far it has come.
struct Reader {
    stream: Stream,
    token: String,
    cursor: String,
    seen: Seen,
}

impl Reader {
    /// Opens the streams of a profile on one connection, each up to where nothing waits.
    async fn open(mut user: UserClient, token: &str) -> Vec<Self> {
        let mut readers = Vec::new();
        for _ in 0..STREAMS_EACH {
            let mut reader = Self {
                stream: open(&mut user, "").await,
                token: token.to_owned(),
                cursor: String::new(),
                seen: Seen::new(),
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

    /// Reads until it has seen so many, or how it ends before.
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

    /// How it was ended; then comes again, and reads the rest.
    async fn come_again(mut self, server: &Server) -> (Option<Code>, Vec<String>) {
        let end = self.read(2 * MESSAGES).await;
        if end.is_some() {
            self.stream = open(&mut server.messaging(&self.token), &self.cursor).await;
            assert_eq!(self.read(2 * MESSAGES).await, None);
        }
        (end, self.seen.into_iter().map(|(id, _)| id).collect())
    }
}

/// Who reads all that comes, in a task.
fn read_on(mut reader: Reader, seen: Arc<Mutex<Seen>>) {
    tokio::spawn(async move {
        while let Ok(Some(_)) = reader.next().await {
            let mut seen = seen.lock().expect("nobody has panicked");
            seen.append(&mut reader.seen);
        }
    });
}

/// Sends to all of these; which messages, and when they were acknowledged.
async fn send_all(server: &Server, to: &[String]) -> Seen {
    let mut alice = server.messaging(&server.tokens.alice);
    let mut sent = Seen::new();
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

/// How long after the replies these were seen, once all have been that often.
async fn delays(sent: &Seen, seen: &Mutex<Seen>, times: usize) -> Vec<Duration> {
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

/// Bytes of memory that the service has.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Until the server has given up who takes nothing; the most memory that it had by then.
async fn until_cut_off(server: &Server) -> u64 {
    let mut most = 0;
    let began = Instant::now();
    while began.elapsed() < GIVEN_UP_AFTER {
        most = memory(server).max(most);
        sleep(PAUSE).await;
    }
    most
}

/// What still waits for a profile's streams holds their places.
async fn has_no_place_left(server: &Server, token: &str) {
    let refused = server
        .messaging(token)
        .subscribe(v1::SubscribeRequest::default())
        .await;
    let refused = refused.expect_err("its places are taken");
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
#[ignore = "second gear: measures memory"]
async fn who_takes_nothing_costs_little_and_only_itself_and_misses_nothing() {
    let home = Home::open(Backend::Sqlite.into()).await;
    let server = home.serve();
    let half = profiles().div_ceil(2);
    let healthy = names("healthy", profiles());
    let (closed, silent) = (names("closed", half), names("silent", half));
    let seen = Arc::new(Mutex::new(Seen::new()));
    for name in &healthy {
        let token = token(&home, name);
        for reader in Reader::open(server.messaging(&token), &token).await {
            read_on(reader, seen.clone());
        }
    }
    let streams = healthy.len() * STREAMS_EACH;
    let everybody = [&healthy[..], &closed, &silent].concat();
    let sent = send_all(&server, &everybody).await;
    let alone = delays(&sent, &seen, streams).await;
    let before = memory(&server);

    // One half does not read, the other is at the end of a line on which nothing moves.
    let line = Line::to(server.user).await;
    let mut readers = Vec::new();
    let mut of_closed = Vec::new();
    for (number, name) in closed.iter().chain(&silent).enumerate() {
        let token = token(&home, name);
        let address = if number < closed.len() {
            of_closed.push(token.clone());
            server.user
        } else {
            line.address()
        };
        let user = Server::messaging_through(address, &token, WINDOW_BYTES);
        readers.extend(Reader::open(user, &token).await);
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
    home.end(true).await;
}
