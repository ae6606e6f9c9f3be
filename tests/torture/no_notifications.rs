//! A replica without notifications: its LISTEN connection hangs, is cut, or is killed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::coverage;
use support::process::{Deployment, ServerProcess, StartOptions, UserClient};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use support::tcp_proxy::TcpProxy;
use tokio::time::{sleep, timeout};

use super::latency::figures;
use super::streams::faults::deafen;

const SENDERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(5);
/// Time of sends before the first fault, and after each.
const CALM: Duration = Duration::from_secs(2);
const SECONDS_VARIABLE: &str = "POSTROOM_TORTURE_SECS";
/// A poll, and then some.
const DELAY_MAX: Duration = Duration::from_secs(3);
/// Longest time until a hanging connection is replaced: three seconds of silence, three seconds
/// for an answer, and a margin.
const REPLACED_WITHIN: Duration = Duration::from_secs(10);
const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// Fault of the LISTEN connection.
#[derive(Debug, Clone, Copy)]
enum ListenFault {
    Hung,
    Cut,
    Killed,
}

/// Sent messages: time and latency of the acknowledgement.
type AcknowledgedSends = BTreeMap<String, (Instant, Duration)>;

async fn send(mut alice: UserClient, ends: Arc<AtomicBool>) -> AcknowledgedSends {
    let mut sent = AcknowledgedSends::new();
    while !ends.load(Ordering::Relaxed) {
        let request = v1::SendMessageSimpleRequest {
            to: vec!["bob".to_owned()],
            text: "do you hear".to_owned(),
            ..Default::default()
        };
        let began = Instant::now();
        let answer = alice.send_message_simple(request).await;
        let id = answer.expect("an answer").into_inner().message_id;
        sent.insert(id, (Instant::now(), began.elapsed()));
        sleep(PAUSE).await;
    }
    sent
}

type SeenTimes = Arc<Mutex<BTreeMap<String, Vec<Instant>>>>;

async fn follow(server: &ServerProcess) -> SeenTimes {
    let mut bob = server.messaging(&server.tokens.bob);
    let request = v1::SubscribeRequest::default();
    let mut stream = bob.subscribe(request).await.expect("a stream").into_inner();
    let seen = SeenTimes::default();
    let times = seen.clone();
    tokio::spawn(async move {
        while let Ok(Some(answer)) = stream.message().await {
            let frame = answer.event.and_then(|event| event.frame);
            if let Some(Frame::MessageReceived(entry)) = frame {
                let mut times = times.lock().expect("nobody has panicked");
                times
                    .entry(entry.message_id)
                    .or_default()
                    .push(Instant::now());
            }
        }
    });
    seen
}

/// Strikes, and answers how long it was until there was a new connection.
async fn strike(deployment: &Deployment, line: &TcpProxy, blow: ListenFault) -> Duration {
    let (before, began) = (line.connections(), Instant::now());
    match blow {
        ListenFault::Hung => line.hang(),
        ListenFault::Cut => line.cut(),
        ListenFault::Killed => deafen(deployment).await,
    }
    while line.connections() == before {
        assert!(began.elapsed() < REPLACED_WITHIN, "{blow:?}");
        sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

/// Latencies of sends that were acknowledged within a period.
fn between(sent: &AcknowledgedSends, after: Instant, before: Instant) -> Vec<Duration> {
    let within = sent.values().filter(|(at, _)| (after..before).contains(at));
    within.map(|(_, took)| *took).collect()
}

#[tokio::test]
#[ignore = "second gear: measures time"]
async fn a_replica_without_notifications_polls_and_reconnects() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let TestDatabase::Postgres(database) = deployment.database() else {
        unreachable!("it was asked for")
    };
    let line = TcpProxy::to(database.address()).await;
    let server = deployment.serve();
    let other = ServerProcess::start(&StartOptions {
        variables: vec![(
            "POSTROOM_DATABASE__NOTIFY_URL",
            database.url_through(line.address()),
        )],
        ..deployment.start()
    });
    let seen = follow(&other).await;
    let ends = Arc::new(AtomicBool::new(false));
    let sending = (0..SENDERS).map(|_| {
        let alice = server.messaging(&server.tokens.alice);
        tokio::spawn(send(alice, ends.clone()))
    });
    let sending: Vec<_> = sending.collect();
    let began = Instant::now();
    sleep(CALM).await;
    let struck = Instant::now();
    let seconds = std::env::var(SECONDS_VARIABLE).ok();
    let seconds = seconds.map_or(0, |text| text.parse().expect("seconds"));
    let mut replaced: BTreeMap<String, Duration> = BTreeMap::new();
    let mut rounds = 0;
    while rounds == 0 || struck.elapsed() < Duration::from_secs(seconds) {
        for blow in [ListenFault::Hung, ListenFault::Cut, ListenFault::Killed] {
            let took = strike(&deployment, &line, blow).await;
            let longest = replaced.entry(format!("{blow:?}")).or_default();
            *longest = took.max(*longest);
            sleep(CALM / 4).await;
        }
        rounds += 1;
    }
    ends.store(true, Ordering::Relaxed);
    let end = Instant::now();
    let mut sent = AcknowledgedSends::new();
    for of_sender in join_all(sending).await {
        sent.extend(of_sender.expect("a sender"));
    }
    let all = async {
        while seen.lock().expect("nobody has panicked").len() < sent.len() {
            sleep(PAUSE).await;
        }
    };
    let _ = timeout(SEEN_WITHIN, all).await;
    let seen = seen.lock().expect("nobody has panicked").clone();

    let missed = sent.keys().filter(|id| !seen.contains_key(*id)).count();
    let doubled = seen.values().filter(|times| times.len() > 1).count();
    let delays = sent.iter().filter_map(|(id, (replied, _))| {
        let first = seen.get(id)?.first()?;
        Some(first.saturating_duration_since(*replied))
    });
    let delays: Vec<Duration> = delays.collect();
    let latest = delays.iter().max().copied().unwrap_or_default();
    let calm = between(&sent, began, struck);
    let rough = between(&sent, struck, end);
    let rate = |sends: &[Duration], lasted: Duration| {
        u32::try_from(sends.len()).map_or(0.0, f64::from) / lasted.as_secs_f64()
    };
    let (calm_rate, rough_rate) = (rate(&calm, struck - began), rate(&rough, end - struck));
    coverage::print(&format!(
        "deaf {rounds} times each, heard again after at most {replaced:.1?}: {} sends, missed {missed}, \
         doubled {doubled}, seen after {}, at most {latest:.1?}; sends before {calm_rate:.0}/s, {}, \
         meanwhile {rough_rate:.0}/s, {}",
        sent.len(),
        figures(delays),
        figures(calm),
        figures(rough),
    ));
    assert_eq!((missed, doubled), (0, 0));
    assert!(latest <= DELAY_MAX, "{latest:?}");
    // Not a measurement: sends that waited for the connection would come to a stand.
    assert!(rough_rate > calm_rate / 3.0);
    for server in [server, other] {
        server.terminate();
        assert!(server.ended().await.success());
    }
    deployment.end(true).await;
}
