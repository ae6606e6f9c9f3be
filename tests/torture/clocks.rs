//! Clocks that are wrong: of a replica, of the database, of the whole machine.
//!
//! The right time is that of the test itself. A message expires an hour later, or ten minutes
//! later: whatever a clock does, it is there until then.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proto::v1;
use support::boxes;
use support::command::run;
use support::fake_clock::FakeClock;
use support::http;
use support::postgres::{Cluster, PostgresServer};
use support::process::{DATABASE_VARIABLE, Deployment, ServerProcess, UserClient, postroom};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use tokio::time::sleep;
use tonic::{Code, Request, Status};

use crate::conformance::fixture::IN_TIME;

/// Time in which a replica notices a wrong clock, and a right one.
const NOTICED: Duration = Duration::from_secs(5);
/// Maximum difference of the time of a message from the right one.
const RIGHT_SECS: i64 = 5;
/// Messages before a clock goes wrong.
const MESSAGES: usize = 20;
const SHORT: i64 = 600;
const LONG: i64 = 3_600;
/// Time in which two sweeps begin.
const SWEEPS: Duration = Duration::from_secs(65);

/// Messages with request ids, as a client remembers them that saw them acknowledged.
#[derive(Default)]
struct Acknowledged {
    sent: Vec<v1::SendMessageSimpleResponse>,
}

/// Figures of a scenario.
#[derive(Debug, Default)]
struct Figures {
    /// Calls that a replica answered, and that it refused, while its clock was wrong.
    answered: usize,
    refused: usize,
    /// Messages with a time that is not right.
    misdated: usize,
}

fn request(number: usize) -> Request<v1::SendMessageSimpleRequest> {
    let lifetime = if number.is_multiple_of(2) {
        SHORT
    } else {
        LONG
    };
    let mut request = Request::new(v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: format!("message {number}"),
        request_id: format!("clock-{number}"),
        expire_after: Some(prost_types::Duration {
            seconds: lifetime,
            nanos: 0,
        }),
    });
    request.set_timeout(Duration::from_secs(10));
    request
}

/// The right time, in seconds since 1970.
fn right_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_secs().cast_signed()
}

fn is_right(sent: &v1::SendMessageSimpleResponse) -> bool {
    let time = sent.send_time.expect("a time").seconds;
    (time - right_s()).abs() <= RIGHT_SECS
}

impl Acknowledged {
    /// Sends the first messages.
    async fn begin(alice: &mut UserClient) -> Self {
        let mut acknowledged = Self::default();
        for _ in 0..MESSAGES {
            let sent = acknowledged.send(alice).await.expect("a message");
            assert!(is_right(&sent), "{sent:?}");
        }
        acknowledged
    }

    /// Sends the next message.
    async fn send(
        &mut self,
        alice: &mut UserClient,
    ) -> Result<v1::SendMessageSimpleResponse, Status> {
        let sent = alice.send_message_simple(request(self.sent.len())).await;
        let sent = sent?.into_inner();
        self.sent.push(sent.clone());
        Ok(sent)
    }

    /// Sends until `until`, and expects each message to be right or refused.
    async fn send_until(&mut self, alice: &mut UserClient, until: Instant) -> Figures {
        let mut figures = Figures::default();
        while Instant::now() < until {
            match self.send(alice).await {
                Ok(sent) => {
                    figures.answered += 1;
                    figures.misdated += usize::from(!is_right(&sent));
                }
                Err(refused) => {
                    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
                    figures.refused += 1;
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
        figures
    }

    /// Asserts that each message is there once, and that a repeated request is answered as before.
    async fn assert_kept(&self, server: &ServerProcess, tokens: &ServerProcess) {
        let mut bob = server.messaging(&tokens.tokens.bob);
        let counts = bob.get_message_counts(v1::GetMessageCountsRequest {});
        let counts = counts.await.expect("counts").into_inner();
        let total = boxes::named(&counts.boxes, "inbox").total;
        assert_eq!(
            usize::try_from(total),
            Ok(self.sent.len()),
            "deleted or doubled"
        );
        let mut alice = server.messaging(&tokens.tokens.alice);
        for (number, sent) in self.sent.iter().enumerate() {
            let again = alice.send_message_simple(request(number)).await;
            assert_eq!(again.expect("a replay").into_inner(), *sent);
        }
    }
}

/// Waits until the probe answers with a status, and returns the time that it took.
async fn readiness_becomes(server: &ServerProcess, status: u16) -> Duration {
    let begun = Instant::now();
    while http::get(server.operations, "/readyz").0 != status {
        assert!(begun.elapsed() < IN_TIME, "not {status}: {}", server.log());
        sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

/// Starts a replica with a clock that can be set.
fn serve(deployment: &Deployment, clock: &FakeClock) -> ServerProcess {
    let mut start = deployment.start();
    start.variables.extend(clock.variables());
    ServerProcess::start(&start)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn a_replica_with_a_wrong_clock_is_not_ready_and_deletes_nothing() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let clock = FakeClock::new();
    let replicas = [deployment.serve(), deployment.serve()];
    let wrong = serve(&deployment, &clock);
    let tokens = &replicas[0];
    let mut alice = replicas[0].messaging(&tokens.tokens.alice);
    let mut alice_at_wrong = wrong.messaging(&tokens.tokens.alice);
    let mut acknowledged = Acknowledged::begin(&mut alice).await;
    for difference in ["+5m", "+1h", "+4d", "+31d", "-1h", "-4d", "+0 x5"] {
        clock.set(difference);
        let noticed = readiness_becomes(&wrong, 503).await;
        let until = Instant::now() + Duration::from_secs(2);
        let figures = acknowledged.send_until(&mut alice_at_wrong, until).await;
        for replica in &replicas {
            assert_eq!(http::get(replica.operations, "/readyz").0, 200);
            acknowledged.assert_kept(replica, tokens).await;
        }
        clock.set_right();
        let ready = readiness_becomes(&wrong, 200).await;
        acknowledged.assert_kept(&wrong, tokens).await;
        let sent = acknowledged
            .send(&mut alice_at_wrong)
            .await
            .expect("a message");
        assert!(is_right(&sent), "{sent:?}");
        println!(
            "a replica at {difference}: noticed after {noticed:.1?}, then {figures:?}, ready \
             {ready:.1?} after the clock"
        );
        assert_eq!((figures.answered, figures.misdated), (0, 0));
        // A clock that runs too fast differs only after a while.
        assert!(
            noticed <= NOTICED || difference.contains('x'),
            "{noticed:?}"
        );
        assert!(ready <= NOTICED, "{ready:?}");
    }
    drop(wrong);
    deployment.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn a_clock_that_jumps_for_moments_misdates_nothing() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let clock = FakeClock::new();
    let right = deployment.serve();
    let wrong = serve(&deployment, &clock);
    let mut alice = wrong.messaging(&right.tokens.alice);
    let mut acknowledged = Acknowledged::begin(&mut alice).await;
    for (pause_ms, differences) in [
        (2_000, &["+1h"][..]),
        (
            300,
            &["+1h", "-1h", "+31d", "-4d", "+1h", "-1h", "+31d", "-4d"],
        ),
    ] {
        let mut told = Figures::default();
        for difference in differences {
            for set in [*difference, "+0 x1"] {
                clock.set(set);
                let until = Instant::now() + Duration::from_millis(pause_ms);
                let figures = acknowledged.send_until(&mut alice, until).await;
                told.answered += figures.answered;
                told.refused += figures.refused;
                told.misdated += figures.misdated;
            }
        }
        println!("jumps of {pause_ms} ms: {told:?}");
        assert_eq!(told.misdated, 0);
        readiness_becomes(&wrong, 200).await;
        acknowledged.assert_kept(&right, &right).await;
    }
    drop(wrong);
    deployment.end(true).await;
}

/// Two replicas and a database, each with a clock that can be set.
struct FakeMachine {
    database_clock: FakeClock,
    clock: FakeClock,
    deployment: Deployment,
    replicas: [ServerProcess; 2],
    _cluster: Cluster,
}

impl FakeMachine {
    async fn start() -> Self {
        let (database_clock, clock) = (FakeClock::new(), FakeClock::new());
        let cluster = Cluster::private_with(database_clock.variables());
        let database = TestDatabase::Postgres(cluster.server().database().await);
        let deployment = Deployment::at(DatabaseKind::Postgres.into(), database);
        let replicas = [serve(&deployment, &clock), serve(&deployment, &clock)];
        Self {
            database_clock,
            clock,
            deployment,
            replicas,
            _cluster: cluster,
        }
    }

    /// Sets all clocks.
    fn set(&self, difference: &str) {
        self.database_clock.set(difference);
        self.clock.set(difference);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn a_wrong_clock_of_the_database_stops_all_calls_until_it_is_right() {
    let machine = FakeMachine::start().await;
    let first = &machine.replicas[0];
    let mut alice = first.messaging(&first.tokens.alice);
    let mut acknowledged = Acknowledged::begin(&mut alice).await;
    for difference in ["+1h", "-1h", "+31d", "-4d"] {
        machine.database_clock.set(difference);
        let until = Instant::now() + Duration::from_secs(4);
        let figures = acknowledged.send_until(&mut alice, until).await;
        assert_eq!(figures.misdated, 0);
        for replica in &machine.replicas {
            readiness_becomes(replica, 503).await;
        }
        machine.database_clock.set_right();
        for replica in &machine.replicas {
            let ready = readiness_becomes(replica, 200).await;
            println!("a database at {difference}: {figures:?}, ready after {ready:.1?}");
            acknowledged.assert_kept(replica, first).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn all_clocks_ahead_delete_nothing_by_the_new_time() {
    let machine = FakeMachine::start().await;
    let first = &machine.replicas[0];
    let mut alice = first.messaging(&first.tokens.alice);
    let acknowledged = Acknowledged::begin(&mut alice).await;
    machine.set("+45d");
    sleep(SWEEPS).await;
    for replica in &machine.replicas {
        assert_eq!(http::get(replica.operations, "/readyz").0, 200);
        assert!(replica.log().contains("clock.jumped"));
    }
    // Tokens expire by the new time.
    machine.set("+0 x1");
    sleep(NOTICED).await;
    for replica in &machine.replicas {
        readiness_becomes(replica, 200).await;
        acknowledged.assert_kept(replica, first).await;
    }
    machine.set("+45d");
    sleep(NOTICED).await;
    accept(&machine.deployment, &machine.clock);
    for replica in &machine.replicas {
        replica.wait_for_log("clock.accepted");
    }
    // The next sweep takes all entries.
    let server = PostgresServer::parse(&machine.deployment.database().url()).expect("a url");
    let mut connection = server.connect().await.expect("a connection");
    let begun = Instant::now();
    loop {
        let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM msgbox");
        if left.fetch_one(&mut connection).await.expect("a number") == 0 {
            break;
        }
        assert!(begun.elapsed() < IN_TIME, "what is due stays");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Accepts the time of a clock.
fn accept(deployment: &Deployment, clock: &FakeClock) {
    let url = deployment.database().url();
    let mut command = postroom(["accept-clock"]);
    command.env(DATABASE_VARIABLE, url);
    let told = run(command.envs(clock.variables())).expect("an accepted time");
    assert!(told.contains("accepted"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "second gear: takes minutes"]
async fn an_embedded_database_deletes_nothing_by_a_clock_that_has_jumped() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let clock = FakeClock::new();
    let server = serve(&deployment, &clock);
    let mut alice = server.messaging(&server.tokens.alice);
    let mut acknowledged = Acknowledged::begin(&mut alice).await;
    // Tokens are judged by the machine's clock: only steps within their life are asked about.
    for difference in ["+1h", "-1h", "+5m", "+0 x5"] {
        clock.set(difference);
        sleep(Duration::from_secs(4)).await;
        clock.set_right();
        acknowledged.assert_kept(&server, &server).await;
        let sent = acknowledged.send(&mut alice).await.expect("a message");
        assert!(is_right(&sent), "{difference}: {sent:?}");
    }
    clock.set("+45d");
    sleep(SWEEPS).await;
    clock.set_right();
    acknowledged.assert_kept(&server, &server).await;
    server.kill();

    // As before it was started again.
    clock.set("+45d");
    let server = serve(&deployment, &clock);
    server.wait_for_log("clock.jumped");
    sleep(SWEEPS).await;
    clock.set_right();
    acknowledged.assert_kept(&server, &server).await;
    clock.set("+45d");
    accept(&deployment, &clock);
    server.wait_for_log("clock.accepted");
    clock.set_right();
    deployment.end(true).await;
}
