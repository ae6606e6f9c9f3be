//! Metrics of the real program after traffic.

use futures::stream;
use proto::sys::v1 as sys;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::v1;
use proto::v1::event::Frame;
use support::process::{Deployment, ServerProcess};
use support::{http, on_each_database};

use crate::api::builders::{news, strings, text};

/// Series that move with the traffic of [`traffic`], by name and label.
const MOVED: [(&str, &str); 24] = [
    (
        "rpc_server_call_duration_seconds_count",
        "SendMessageSimple",
    ),
    ("rpc_server_active_calls", ""),
    (
        "db_client_operation_duration_seconds_count",
        "db_query_summary",
    ),
    ("db_client_connection_count", "write"),
    ("db_client_connection_count", "read"),
    ("db_client_connection_wait_time_seconds_count", "write"),
    ("db_client_connection_wait_time_seconds_count", "read"),
    ("postroom_lane_queue_wait_duration_seconds_count", ""),
    ("postroom_lane_batch_size_count", ""),
    ("postroom_lane_batch_duration_seconds_count", ""),
    ("postroom_stream_open", ""),
    ("postroom_stream_ended_total", "client_gone"),
    ("postroom_stream_frames_total", "change"),
    ("postroom_stream_frames_total", "caught_up"),
    ("postroom_feed_delivery_lag_seconds_count", ""),
    ("postroom_feed_wakeups_total", "notification"),
    ("postroom_feed_poll_duration_seconds_count", ""),
    ("postroom_cache_hits_total", "message"),
    ("postroom_cache_hits_total", "token"),
    ("postroom_cache_hits_total", "app"),
    ("postroom_quota_refused_total", "profile_sends"),
    ("postroom_token_refused_total", "missing"),
    ("postroom_settle_mailboxes_total", ""),
    ("postroom_job_step_duration_seconds_count", "send"),
];
/// Series that are there, and may stay at 0.
const PRESENT: [&str; 12] = [
    "postroom_answer_in_flight_size_bytes",
    "postroom_connection_ended_total",
    "postroom_lane_queue_depth",
    "postroom_lane_queue_oldest_age_seconds",
    "postroom_feed_poll_failures_total",
    "postroom_cache_misses_total",
    "postroom_clock_skew_seconds",
    "postroom_clock_held_seconds",
    "postroom_job_due",
    "postroom_job_oldest_age_seconds",
    "postroom_job_running",
    "postroom_job_step_failures_total",
];
/// Sends until the quota of [`limited`] refuses one.
const SENDS_MAX: usize = 50;

/// Sum of the series with that name whose labels contain a text; `None` if there is none.
pub(super) fn value(text: &str, name: &str, label: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let rest = series.strip_prefix(name)?;
        let is_series = rest.is_empty() || rest.starts_with('{');
        (is_series && rest.contains(label)).then(|| value.parse::<f64>().expect("a number"))
    });
    values.reduce(|sum, value| sum + value)
}

fn limited(deployment: &Deployment) -> ServerProcess {
    let mut start = deployment.start();
    for (name, value) in [
        ("POSTROOM_QUOTAS__PROFILE_SENDS_PER_SECOND", "1"),
        ("POSTROOM_QUOTAS__PROFILE_SENDS_BURST", "2"),
    ] {
        start.variables.push((name, value.to_owned()));
    }
    ServerProcess::start(&start)
}

/// Waits for a change on a new stream of Bob's.
async fn follow(server: &ServerProcess) -> tonic::Streaming<v1::SubscribeResponse> {
    let mut bob = server.messaging(&server.tokens.bob);
    let stream = bob.subscribe(v1::SubscribeRequest::default()).await;
    let mut stream = stream.expect("a stream").into_inner();
    while !matches!(next(&mut stream).await, Frame::CaughtUp(_)) {}
    stream
}

async fn next(stream: &mut tonic::Streaming<v1::SubscribeResponse>) -> Frame {
    let response = stream.message().await.expect("no error");
    let event = response.expect("a frame").event.expect("an event");
    event.frame.expect("a frame")
}

/// Sends to everyone, and to a segment.
async fn send_from_app(server: &ServerProcess) {
    let mut app = server.system();
    let bulk = sys::SendBulkRequest {
        content: Some(text("to everyone")),
        sender: Some(news()),
        ..Default::default()
    };
    app.send_bulk(bulk).await.expect("it is sent");
    let message = sys::SegmentMessage {
        content: Some(text("to some")),
        sender: Some(news()),
        ..Default::default()
    };
    let recipients = sys::SegmentRecipients {
        profile_ids: strings(&["bob"]),
    };
    let pieces = [Piece::Message(message), Piece::Recipients(recipients)];
    let pieces = pieces.map(|piece| sys::SendToProfilesRequest { piece: Some(piece) });
    let sent = app.send_to_profiles(stream::iter(pieces)).await;
    sent.expect("it is sent");
}

async fn traffic(server: &ServerProcess) -> tonic::Streaming<v1::SubscribeResponse> {
    drop(follow(server).await);
    let mut stream = follow(server).await;
    let mut alice = server.messaging(&server.tokens.alice);
    for _ in 0..SENDS_MAX {
        let request = v1::SendMessageSimpleRequest {
            to: vec!["bob".to_owned()],
            text: "hello".to_owned(),
            ..Default::default()
        };
        if alice.send_message_simple(request).await.is_err() {
            break;
        }
    }
    while !matches!(next(&mut stream).await, Frame::MessageReceived(_)) {}
    send_from_app(server).await;
    let mut stranger = server.messaging("");
    let counts = stranger.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect_err("a refusal");
    let mut bob = server.messaging(&server.tokens.bob);
    for _ in 0..2 {
        let page = v1::GetMessagesPageRequest {
            context: Some(v1::PageContext {
                search_criteria: Some(v1::SearchCriteria {
                    msgbox: "inbox".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        };
        bob.get_messages_page(page).await.expect("a page");
    }
    stream
}

async fn the_metrics_move_with_traffic(deployment: &Deployment) {
    let server = limited(deployment);
    let _open = traffic(&server).await;
    // Streams end, and polls begin, some time after the traffic.
    let mut text = String::new();
    for _ in 0..600 {
        text = http::get(server.operations, "/metrics").1;
        let has_moved = |(name, label): &(&str, &str)| value(&text, name, label) > Some(0.0);
        if MOVED.iter().all(has_moved) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for (name, label) in MOVED {
        let value = value(&text, name, label);
        assert!(value > Some(0.0), "{name} {label}: {value:?} in {text}");
    }
    for name in PRESENT {
        assert!(value(&text, name, "").is_some(), "{name} is not in {text}");
    }
}

on_each_database![the_metrics_move_with_traffic];
