//! Streams across drains and restarts of the service.

use std::env;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::v1;
use proto::v1::event::Frame;
use support::process::{
    Deployment, OutputLines, ServerProcess, StartOptions, UserClient, postroom,
};
use support::{command, coverage, gears, on_each_database};
use tokio::time::sleep;
use tonic::Streaming;
use tonic_types::StatusExt as _;

/// Default number of streams, a multiple of [`STREAMS_EACH`].
const STREAMS: usize = 100;
const STREAMS_VARIABLE: &str = "POSTROOM_STREAMS";
const STREAMS_EACH: usize = 10;
/// Maximum number of refusals of a client that keeps to the retry delays.
const REFUSED_MAX: usize = 5;
/// Time within which the service ends. Asserted in the second gear.
const END_WITHIN: Duration = Duration::from_secs(15);

fn profiles() -> usize {
    let streams = env::var(STREAMS_VARIABLE).ok();
    let streams = streams.map_or(STREAMS, |text| text.parse().expect("a number of streams"));
    assert!(streams >= STREAMS_EACH && streams.is_multiple_of(STREAMS_EACH));
    streams / STREAMS_EACH
}

fn token(deployment: &Deployment, profile: &str) -> String {
    let folder = deployment.data_dir().display().to_string();
    let mut minted = postroom(["token", "--sub", profile, "--data-dir", &folder]);
    let token = command::run(&mut minted).expect("a token");
    token.trim().to_owned()
}

async fn send(server: &ServerProcess, to: Vec<String>, text: &str) {
    let request = v1::SendMessageSimpleRequest {
        to,
        text: text.to_owned(),
        ..Default::default()
    };
    let mut alice = server.messaging(&server.tokens.alice);
    alice
        .send_message_simple(request)
        .await
        .expect("it is sent");
}

/// Opens a stream, and returns the number of refusals before. A busy server refuses with a retry
/// delay.
async fn follow(mut user: UserClient, cursor: &str) -> (Streaming<v1::SubscribeResponse>, usize) {
    let mut refused = 0;
    loop {
        let request = v1::SubscribeRequest {
            cursor: cursor.to_owned(),
            ..Default::default()
        };
        let status = match user.subscribe(request).await {
            Ok(stream) => return (stream.into_inner(), refused),
            Err(status) => status,
        };
        let again = status.get_details_retry_info();
        let again = again.and_then(|info| info.retry_delay);
        refused += 1;
        assert!(again.is_some() && refused <= REFUSED_MAX, "{status:?}");
        sleep(again.unwrap_or_default()).await;
    }
}

/// Last cursor of a stream, and its reconnect delay.
struct SentAway {
    cursor: String,
    /// Delay before reconnecting, if the last frame has one.
    wait: Option<Duration>,
}

async fn until_the_end(mut stream: Streaming<v1::SubscribeResponse>) -> SentAway {
    let (mut cursor, mut wait) = (String::new(), None);
    while let Ok(Some(answer)) = stream.message().await {
        let event = answer.event.expect("an event");
        cursor = event.cursor;
        wait = match event.frame {
            Some(Frame::Reconnect(reconnect)) => {
                Some(Duration::from_millis(reconnect.after_ms.into()))
            }
            _ => None,
        };
    }
    SentAway { cursor, wait }
}

async fn next_received(mut stream: Streaming<v1::SubscribeResponse>) -> String {
    loop {
        let answer = stream.message().await.expect("no error").expect("a frame");
        if let Some(Frame::MessageReceived(entry)) = answer.event.expect("an event").frame {
            let message = entry.message.expect("a message");
            return format!("{:?}", message.content);
        }
    }
}

async fn drained_streams_reconnect_elsewhere_and_lose_no_change(deployment: &Deployment) {
    let server = deployment.serve();
    let names: Vec<String> = (0..profiles())
        .map(|number| format!("reader{number}"))
        .collect();
    let tokens: Vec<String> = names.iter().map(|name| token(deployment, name)).collect();
    let mut streams = Vec::new();
    for token in &tokens {
        for _ in 0..STREAMS_EACH {
            streams.push(follow(server.messaging(token), "").await.0);
        }
    }
    let _silent = TcpStream::connect(server.user).expect("a connection");
    let ends: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(until_the_end(stream)))
        .collect();
    let began = Instant::now();
    server.terminate();
    let ended = tokio::spawn(server.ended());
    let ends = join_all(ends).await.into_iter();
    let ends: Vec<SentAway> = ends.map(|end| end.expect("a task")).collect();
    assert!(ended.await.expect("a task").success());
    let took = began.elapsed();
    assert!(!gears::second() || took < END_WITHIN, "{took:?}");

    let other = deployment.serve();
    send(&other, names, "while nobody looked").await;
    let resumed = ends.iter().enumerate().map(async |(number, end)| {
        sleep(end.wait.expect("it was sent away")).await;
        let user = other.messaging(&tokens[number / STREAMS_EACH]);
        let (stream, refused) = follow(user, &end.cursor).await;
        (next_received(stream).await, refused)
    });
    let (seen, refused): (Vec<String>, Vec<usize>) = join_all(resumed).await.into_iter().unzip();
    let resumed = seen
        .iter()
        .filter(|seen| seen.contains("while nobody looked"))
        .count();
    let (lost, refused) = (ends.len() - resumed, refused.iter().sum::<usize>());
    coverage::print(&format!(
        "SIGTERM with {} open streams and a silent connection: ended after {} ms, {resumed} resumed, {lost} lost, {refused} times refused before",
        ends.len(),
        took.as_millis()
    ));
    assert_eq!(lost, 0, "{seen:?}");
    other.terminate();
    assert!(other.ended().await.success());
}

async fn a_watch_survives_a_restart_and_repeats_nothing(deployment: &Deployment) {
    let server = deployment.serve();
    let address = server.user;
    let folder = deployment.data_dir().display().to_string();
    let endpoint = format!("http://{address}");
    let mut watch = postroom([
        "watch",
        "--as",
        "bob",
        "--cursor",
        "0",
        "--endpoint",
        &endpoint,
        "--data-dir",
        &folder,
    ])
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .expect("it runs");
    let printed = OutputLines::of(watch.stdout.take().expect("its output"));
    let sees = |text: &str| {
        let found = printed.wait_for(|line| line.contains(text).then_some(()));
        assert!(found.is_some(), "{text}: {}", printed.text());
    };
    let bob = vec!["bob".to_owned()];
    send(&server, bob.clone(), "first").await;
    sees("first");
    server.kill();
    let again = ServerProcess::start(&StartOptions {
        arguments: vec!["--user-address".to_owned(), address.to_string()],
        ..deployment.start()
    });
    send(&again, bob.clone(), "second").await;
    sees("second");
    again.terminate();
    assert!(again.ended().await.success());
    let last = ServerProcess::start(&StartOptions {
        arguments: vec!["--user-address".to_owned(), address.to_string()],
        ..deployment.start()
    });
    send(&last, bob, "third").await;
    sees("third");
    watch.kill().expect("it is there");
    watch.wait().expect("an end");
    let text = printed.text();
    let received: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("received"))
        .collect();
    assert_eq!(received.len(), 3, "{text}");
}

on_each_database![
    drained_streams_reconnect_elsewhere_and_lose_no_change,
    a_watch_survives_a_restart_and_repeats_nothing,
];
