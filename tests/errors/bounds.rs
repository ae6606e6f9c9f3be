//! Errors fit into trailers that every client takes.

use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::content::Body;
use support::on_each_database;
use support::service::TestService;
use tonic::Status;
use tonic::codegen::http::HeaderMap;
use tonic_types::StatusExt as _;

use crate::api::builders::{content, message, notice, refused, sealed, text};

/// Bytes of trailers that gRPC clients accept by default.
const TRAILERS_BYTES_MAX: usize = 8 * 1024;
/// Overhead of a header field in HTTP/2, in bytes.
const HEADER_FRAME_BYTES: usize = 32;

fn trailers_bytes(status: &Status) -> usize {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).expect("trailers");
    let bytes = |name: &str, value: usize| name.len() + value + HEADER_FRAME_BYTES;
    trailers
        .iter()
        .map(|(name, value)| bytes(name.as_str(), value.len()))
        .sum()
}

/// Twenty problems are listed, and how many more there are.
fn assert_cut(status: &Status, problems: usize) {
    let listed = status
        .get_details_bad_request()
        .expect("violations")
        .field_violations;
    let last = listed.last().expect("a violation");
    let more = problems + 1 - listed.len();
    assert_eq!(
        (last.field.as_str(), &last.description),
        ("", &format!("and {more} more"))
    );
    assert!((2..=21).contains(&listed.len()), "{}", listed.len());
    let bytes = trailers_bytes(status);
    assert!(bytes < TRAILERS_BYTES_MAX, "{bytes} bytes");
}

async fn twenty_problems_are_listed_and_then_how_many_more(test: &TestService) {
    let mut alice = test.user("alice");
    for (count, listed) in [(19, 19), (20, 20), (21, 21), (100, 21), (500, 21)] {
        let request = message(&vec!["a\nb"; count], text("hi"));
        let status = refused(alice.send_message(request)).await;
        let found = status
            .get_details_bad_request()
            .expect("violations")
            .field_violations;
        assert_eq!(found.len(), listed, "{count}");
        assert_eq!(found[18].field, "to[18]");
        if count > 20 {
            assert_cut(&status, count);
        }
    }
}

async fn the_longest_fields_fit(test: &TestService) {
    // Each wrap has three violations, and is for no holder of the message.
    let wraps = 501;
    let wrap = v1::KeyWrap {
        profile_id: "x".repeat(257),
        key_id: "y".repeat(65),
        wrapped_key: vec![],
    };
    let broken = v1::SealedContent {
        scheme: "s".repeat(1000),
        sender_key_id: "k".repeat(1000),
        headers: vec![0; 5000].into(),
        keys: vec![wrap; wraps],
        ..sealed()
    };
    let request = sys::SendMessageRequest {
        request_id: "r".repeat(10_000),
        ..notice(&["bob"], content(Body::Sealed(broken)))
    };
    let status = refused(test.sys().send_message(request)).await;
    // Beside the wraps: scheme, sender_key_id, headers, size, request_id; and all wraps but
    // the first are for somebody who has one already.
    assert_cut(&status, wraps * 4 + wraps - 1 + 5);
}

on_each_database![
    twenty_problems_are_listed_and_then_how_many_more,
    the_longest_fields_fit
];
