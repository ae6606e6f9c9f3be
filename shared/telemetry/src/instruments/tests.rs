//! Every instrument appears in the text of `/metrics`, with its attributes and values.

use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::Resource;

use super::*;
use crate::Metrics;

const MS: Duration = Duration::from_millis(3);

/// Text of the metrics after `record` has used the meter.
fn rendered(record: impl FnOnce(Meter)) -> String {
    let metrics = Metrics::new(Resource::builder().build()).expect("metrics");
    record(metrics.provider().meter("test"));
    metrics.render().expect("text")
}

/// Value of the series with that name and these labels.
#[track_caller]
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let is_series = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let line = text.lines().find(is_series);
    let line = line.unwrap_or_else(|| panic!("no {name} {labels:?} in {text}"));
    let value = line.rsplit(' ').next().expect("a value");
    value.parse().expect("a number")
}

#[track_caller]
fn assert_value(text: &str, name: &str, labels: &[&str], expected: f64) {
    let actual = value(text, name, labels);
    assert!(
        (actual - expected).abs() < 1e-9,
        "{name} {labels:?} is {actual}, not {expected}"
    );
}

#[test]
fn answers_are_measured_until_they_were_taken() {
    let text = rendered(|meter| {
        let answers = AnswerMetrics::of(&meter);
        answers.begun(700);
        answers.begun(50);
        answers.ended(700);
    });
    assert_value(&text, "postroom_answer_in_flight_size_bytes", &[], 50.0);
}

#[test]
fn a_call_is_counted_by_method_and_code() {
    let text = rendered(|meter| {
        let calls = CallMetrics::of(&meter);
        calls.started();
        calls.started();
        calls.ended("postroom.v1.Messaging/SendMessage", "OK", MS);
    });
    assert_value(
        &text,
        "rpc_server_call_duration_seconds_count",
        &[
            r#"rpc_method="postroom.v1.Messaging/SendMessage""#,
            r#"rpc_response_status_code="OK""#,
        ],
        1.0,
    );
    assert_value(&text, "rpc_server_active_calls", &[], 1.0);
}

#[test]
fn a_statement_is_counted_by_name_and_error_type() {
    let text = rendered(|meter| {
        let statements = StatementMetrics::of(&meter, "sqlite");
        statements.succeeded("mailbox.lock", MS);
        statements.succeeded("mailbox.lock", MS);
        statements.failed("mailbox.lock", "conflict", MS);
    });
    let name = "db_client_operation_duration_seconds_count";
    let failed = [
        r#"error_type="conflict""#,
        r#"db_query_summary="mailbox.lock""#,
    ];
    assert_value(&text, name, &failed, 1.0);
    let all = text.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!(all, 2, "{text}");
    assert!(text.contains(r#"db_system_name="sqlite""#), "{text}");
}

#[test]
fn a_lane_shows_its_queue_and_its_batches() {
    let text = rendered(|meter| {
        let lanes = LaneMetrics::of(meter);
        lanes.observe_queues(|| QueueState {
            operations: 7,
            oldest_age: Some(Duration::from_millis(1500)),
        });
        lanes.dequeued(MS);
        lanes.refused();
        lanes.batch_ended(5, MS);
    });
    for (name, expected) in [
        ("postroom_lane_queue_depth", 7.0),
        ("postroom_lane_queue_oldest_age_seconds", 1.5),
        ("postroom_lane_queue_wait_duration_seconds_count", 1.0),
        ("postroom_lane_queue_refused_total", 1.0),
        ("postroom_lane_batch_size_sum", 5.0),
        ("postroom_lane_batch_duration_seconds_count", 1.0),
    ] {
        assert_value(&text, name, &[], expected);
    }
}

#[test]
fn two_pools_show_their_connections_apart() {
    let text = rendered(|meter| {
        for (name, used) in [("write", 1), ("read", 2)] {
            let pool = PoolMetrics::of(meter.clone(), name);
            pool.observe_connections(move || PoolState { used, idle: 5 });
            pool.obtained(MS);
            pool.timed_out();
        }
    });
    for (pool, used) in [("write", 1.0), ("read", 2.0)] {
        let pool = format!(r#"db_client_connection_pool_name="{pool}""#);
        let count = |state: &str, expected| {
            let state = format!(r#"db_client_connection_state="{state}""#);
            assert_value(
                &text,
                "db_client_connection_count",
                &[&pool, &state],
                expected,
            );
        };
        count("used", used);
        count("idle", 5.0);
        for name in [
            "db_client_connection_wait_time_seconds_count",
            "db_client_connection_timeouts_total",
        ] {
            assert_value(&text, name, &[&pool], 1.0);
        }
    }
}

#[test]
fn a_stream_is_open_until_it_is_dropped_and_ends_for_a_reason() {
    let text = rendered(|meter| {
        let streams = StreamMetrics::of(&meter);
        let open = streams.opened();
        let mut slow = streams.opened();
        slow.ends(EndReason::SlowReader);
        drop(slow);
        streams.frame(FrameKind::Counts);
        drop(streams.opened());
        std::mem::forget(open);
    });
    assert_value(&text, "postroom_stream_open", &[], 1.0);
    for (reason, expected) in [("slow_reader", 1.0), ("client_gone", 1.0), ("max_age", 0.0)] {
        let reason = format!(r#"postroom_stream_end_reason="{reason}""#);
        assert_value(&text, "postroom_stream_ended_total", &[&reason], expected);
    }
    let kind = [r#"postroom_frame_kind="counts""#];
    assert_value(&text, "postroom_stream_frames_total", &kind, 1.0);
}

#[test]
fn the_feed_shows_its_lag_its_polls_and_their_source() {
    let text = rendered(|meter| {
        let feed = FeedMetrics::of(&meter);
        feed.delivered(MS);
        feed.polled(MS, true);
        feed.polled(MS, false);
        feed.woken(WakeupSource::Poll, 2);
    });
    for (name, expected) in [
        ("postroom_feed_delivery_lag_seconds_count", 1.0),
        ("postroom_feed_poll_duration_seconds_count", 2.0),
        ("postroom_feed_poll_failures_total", 1.0),
    ] {
        assert_value(&text, name, &[], expected);
    }
    for (source, expected) in [("poll", 2.0), ("notification", 0.0)] {
        let source = format!(r#"postroom_feed_wakeup_source="{source}""#);
        assert_value(&text, "postroom_feed_wakeups_total", &[&source], expected);
    }
}

#[test]
fn the_broadcast_shows_its_notifications_and_its_connection() {
    let text = rendered(|meter| {
        let broadcast = BroadcastMetrics::of(&meter);
        broadcast.connected();
        broadcast.published();
        broadcast.received();
        broadcast.failed();
        broadcast.disconnected();
        broadcast.connected();
    });
    for (name, expected) in [
        ("postroom_broadcast_published_total", 1.0),
        ("postroom_broadcast_received_total", 1.0),
        ("postroom_broadcast_failures_total", 2.0),
    ] {
        assert_value(&text, name, &[], expected);
    }
    let connected = text
        .lines()
        .find(|line| line.starts_with("postroom_broadcast_connected"));
    assert!(connected.is_some_and(|line| line.ends_with(" 1")), "{text}");
}

#[test]
fn a_step_of_a_job_is_running_until_it_is_dropped() {
    let text = rendered(|meter| {
        let jobs = JobMetrics::of(&meter, "send");
        jobs.due(3, Some(Duration::from_secs(2)));
        drop(jobs.step());
        std::mem::forget(jobs.step());
        jobs.failed();
    });
    for (name, expected) in [
        ("postroom_job_due", 3.0),
        ("postroom_job_oldest_age_seconds", 2.0),
        ("postroom_job_running", 1.0),
        ("postroom_job_step_duration_seconds_count", 1.0),
        ("postroom_job_step_failures_total", 1.0),
    ] {
        assert_value(&text, name, &[r#"postroom_job_kind="send""#], expected);
    }
}

#[test]
fn a_cache_counts_hits_and_misses_under_its_name() {
    let text = rendered(|meter| {
        let cache = CacheMetrics::of(&meter, "message");
        assert_eq!(cache.record(Some(7)), Some(7));
        for _ in 0..2 {
            assert_eq!(cache.record(None::<i64>), None);
        }
        cache.record_all(2, 3);
    });
    let name = [r#"postroom_cache_name="message""#];
    assert_value(&text, "postroom_cache_hits_total", &name, 3.0);
    assert_value(&text, "postroom_cache_misses_total", &name, 5.0);
}

#[test]
fn a_refusal_is_counted_under_its_quota() {
    let text = rendered(|meter| {
        QuotaMetrics::of(&meter).refused(LimitedQuota::AppSends);
    });
    for (quota, expected) in [("app_sends", 1.0), ("profile_calls", 0.0)] {
        let quota = format!(r#"postroom_quota_name="{quota}""#);
        assert_value(&text, "postroom_quota_refused_total", &[&quota], expected);
    }
}

#[test]
fn a_settle_counts_its_mailboxes() {
    let text = rendered(|meter| SettleMetrics::of(&meter).settled(4));
    assert_value(&text, "postroom_settle_mailboxes_total", &[], 4.0);
}

#[test]
fn usable_keys_and_failed_loads_are_told_by_issuer() {
    let text = rendered(|meter| {
        let keys = IssuerKeyMetrics::of(&meter, "https://a.test");
        keys.loaded(2, false);
        keys.loaded(2, true);
        IssuerKeyMetrics::of(&meter, "https://b.test").loaded(0, true);
    });
    for (iss, usable, failures) in [("a", 2.0, 1.0), ("b", 0.0, 1.0)] {
        let label = format!(r#"postroom_issuer_name="https://{iss}.test""#);
        assert_value(&text, "postroom_issuer_keys", &[&label], usable);
        let name = "postroom_issuer_key_load_failures_total";
        assert_value(&text, name, &[&label], failures);
    }
}
