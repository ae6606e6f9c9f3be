//! Digests, computed again as a client would: from the contract's words and a hash.

use proto::v1;
use proto::v1::content::Body;
use serde_json::json;
use support::on_each_database;
use support::service::TestService;

use super::builders::{content, json, message, ok, parts, sealed, stored};

/// The digest of the message that alice sends bob with that content.
async fn digest(test: &TestService, content: v1::Content) -> Vec<u8> {
    let sent = ok(test.user("alice").send_message(message(&["bob"], content))).await;
    stored(test, &sent.message_id).await.digest
}

/// Length and bytes of each piece.
fn framed(pieces: &[&[u8]]) -> Vec<u8> {
    let frame = |piece: &&[u8]| [&(piece.len() as u64).to_be_bytes(), *piece].concat();
    pieces.iter().flat_map(frame).collect()
}

async fn a_json_content_is_digested_in_its_canonical_form(test: &TestService) {
    // The examples of RFC 8785, and its rule about zero.
    for (value, canonical) in [
        (json!(null), "null"),
        (json!(""), r#""""#),
        (json!([]), "[]"),
        (json!({}), "{}"),
        (
            json!([333_333_333.333_333_3, 1e30, 4.50, 2e-3, 1e-27, -0.0, 1, -5]),
            "[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1,-5]",
        ),
        (
            json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false]}),
            r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        ),
        (
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "😀": 5, "\u{80}": 6, "ö": 7}),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}",
        ),
    ] {
        let expected = blake3::derive_key("postroom v1 json", canonical.as_bytes());
        assert_eq!(digest(test, json(value)).await, expected, "{canonical}");
    }
}

async fn parts_are_digested_with_their_lengths(test: &TestService) {
    let two: [(&str, &[u8]); 2] = [("text/plain", b"hello"), ("image/png", b"")];
    let input = [
        b"\0\0\0\x0atext/plain\0\0\0\0\0\0\0\x05hello".as_slice(),
        b"\0\0\0\x09image/png\0\0\0\0\0\0\0\0",
    ];
    let expected = blake3::derive_key("postroom v1 parts", &input.concat());
    assert_eq!(digest(test, parts(&two)).await, expected);
}

async fn a_sealed_content_is_digested_without_its_wraps(test: &TestService) {
    let full = sealed();
    let pieces: [&[u8]; 5] = [b"hpke", b"headers", b"payload", b"alice-1", b"signature"];
    let expected = blake3::derive_key("postroom v1 sealed", &framed(&pieces));
    assert_eq!(
        digest(test, content(Body::Sealed(full.clone()))).await,
        expected
    );
    let unwrapped = v1::SealedContent {
        keys: vec![],
        ..full
    };
    assert_eq!(
        digest(test, content(Body::Sealed(unwrapped))).await,
        expected
    );

    let bare = v1::SealedContent {
        scheme: "x".to_owned(),
        ..Default::default()
    };
    let expected = blake3::derive_key("postroom v1 sealed", &framed(&[b"x", b"", b"", b"", b""]));
    assert_eq!(digest(test, content(Body::Sealed(bare))).await, expected);
}

on_each_database![
    a_json_content_is_digested_in_its_canonical_form,
    parts_are_digested_with_their_lengths,
    a_sealed_content_is_digested_without_its_wraps,
];
