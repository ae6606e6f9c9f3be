//! Limits and forms of contents, in all four methods that take one.

use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Value};
use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::content::Body;
use serde_json::{Value as Json, json};
use support::on_each_database;
use support::service::TestService;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::builders::{
    content, json, message, notice, parts, reason_of, sealed, send, value, wrap,
};

/// Answers to Alice and to the app that send a content to Bob, and change a message to it.
async fn told(test: &TestService, content: Option<v1::Content>) -> [Result<(), Status>; 4] {
    let message_id = send(test, "alice", &["bob"]).await;
    let (mut alice, mut app) = (test.user("alice"), test.sys());
    let empty = v1::Content::default;
    let sent = v1::SendMessageRequest {
        content: content.clone(),
        ..message(&["bob"], empty())
    };
    let announced = sys::SendMessageRequest {
        content: content.clone(),
        ..notice(&["bob"], empty())
    };
    let edit = v1::EditMessageRequest {
        message_id: message_id.clone(),
        content: content.clone(),
        ..Default::default()
    };
    let update = sys::UpdateMessageRequest {
        message_id,
        content,
        ..Default::default()
    };
    [
        alice.send_message(sent).await.map(drop),
        app.send_message(announced).await.map(drop),
        alice.edit_message(edit).await.map(drop),
        app.update_message(update).await.map(drop),
    ]
}

async fn assert_taken(test: &TestService, content: v1::Content) {
    for told in told(test, Some(content)).await {
        told.expect("an answer");
    }
}

/// Each method refuses that, for those fields and that reason.
async fn assert_refused(
    test: &TestService,
    content: Option<v1::Content>,
    reason: &str,
    fields: &[&str],
) {
    for told in told(test, content.clone()).await {
        let status = told.expect_err("a refusal");
        assert_eq!(reason_of(&status), reason, "{content:?}");
        let violations = status.get_details_bad_request().expect("violations");
        let violations = violations.field_violations.iter();
        let found: Vec<&str> = violations.map(|found| found.field.as_str()).collect();
        assert_eq!(found, fields, "{content:?}");
    }
}

async fn assert_invalid(test: &TestService, content: v1::Content, fields: &[&str]) {
    assert_refused(test, Some(content), "CONTENT_INVALID", fields).await;
}

fn nested(depth: usize) -> Json {
    (1..depth).fold(json!([]), |inner, level| {
        if level % 2 == 0 {
            json!([inner])
        } else {
            json!({ "in": inner })
        }
    })
}

async fn a_content_must_be_there(test: &TestService) {
    for missing in [None, Some(v1::Content::default())] {
        assert_refused(test, missing, "CONTENT_INVALID", &["content"]).await;
    }
}

async fn a_json_content_has_16_levels_and_1000_values(test: &TestService) {
    assert_taken(test, json(nested(16))).await;
    assert_invalid(test, json(nested(17)), &["content.json"]).await;
    assert_invalid(test, json(nested(24)), &["content.json"]).await;
    assert_taken(test, json(json!([nested(15), 1, "a", null]))).await;
    assert_taken(test, json(json!(vec![0; 999]))).await;
    assert_invalid(test, json(json!(vec![0; 1000])), &["content.json"]).await;
    let object: serde_json::Map<_, _> = (0..999).map(|key| (key.to_string(), json!({}))).collect();
    assert_taken(test, json(Json::Object(object))).await;
}

async fn a_json_content_has_no_nul_and_only_finite_numbers(test: &TestService) {
    for bad in [json!("a\0"), json!({ "a\0": 1 }), json!([["\0"]])] {
        assert_invalid(test, json(bad), &["content.json"]).await;
    }
    let kinds =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|number| Some(Kind::NumberValue(number)));
    for kind in kinds.into_iter().chain([None, Some(Kind::NullValue(1))]) {
        let list = Kind::ListValue(ListValue {
            values: vec![value(json!(1)), Value { kind: kind.clone() }],
        });
        for kind in [kind, Some(list)] {
            let content = content(Body::Json(Value { kind }.encode_to_vec().into()));
            assert_invalid(test, content, &["content.json"]).await;
        }
    }
    for good in [
        json!(null),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!("\u{1}"),
    ] {
        assert_taken(test, json(good)).await;
    }
}

async fn a_content_has_1_to_16_parts(test: &TestService) {
    let part: (&str, &[u8]) = ("text/plain", b"");
    assert_invalid(test, parts(&[]), &["content.parts.parts"]).await;
    assert_taken(test, parts(&[part])).await;
    assert_taken(test, parts(&[part; 16])).await;
    assert_invalid(test, parts(&[part; 17]), &["content.parts.parts"]).await;
}

async fn a_mime_type_is_type_and_subtype(test: &TestService) {
    let longest = format!("text/{}", "x".repeat(122));
    for good in [
        "text/plain",
        "a/b",
        "application/vnd.x-y+json",
        "text/plain; charset=utf-8",
        &longest,
    ] {
        assert_taken(test, parts(&[(good, b"")])).await;
    }
    let too_long = format!("{longest}x");
    for bad in [
        "", "text", "text/", "/plain", "a/b/c", "a b/c", "a/b\n", "a/é", "a/b\0", &too_long,
    ] {
        let content = parts(&[("a/b", b""), (bad, b"")]);
        assert_invalid(test, content, &["content.parts.parts[1].mime_type"]).await;
    }
}

/// A change of a sealed content.
type ContentEdit = fn(&mut v1::SealedContent);

/// A sealed content that differs from a good one.
fn sealed_but(change: impl FnOnce(&mut v1::SealedContent)) -> v1::Content {
    let mut sealed = sealed();
    change(&mut sealed);
    content(Body::Sealed(sealed))
}

async fn each_piece_of_a_sealed_content_has_its_limit(test: &TestService) {
    let goods: [ContentEdit; 6] = [
        |it| it.scheme = "x".repeat(64),
        |it| it.headers = vec![0; 4096].into(),
        |it| it.sender_key_id = "x".repeat(64),
        |it| it.keys.clear(),
        |it| it.keys[0].key_id = "x".repeat(64),
        |it| it.keys[0].wrapped_key = vec![0; 256],
    ];
    for good in goods {
        assert_taken(test, sealed_but(good)).await;
    }
    let bads: [(ContentEdit, &str); 9] = [
        (|it| it.scheme.clear(), "scheme"),
        (|it| it.scheme = "x".repeat(65), "scheme"),
        (|it| it.scheme.push('\0'), "scheme"),
        (|it| it.headers = vec![0; 4097].into(), "headers"),
        (|it| it.sender_key_id = "x".repeat(65), "sender_key_id"),
        (|it| it.keys.push(wrap("bob")), "keys[1].profile_id"),
        (|it| it.keys[0].key_id = "x".repeat(65), "keys[0].key_id"),
        (|it| it.keys[0].wrapped_key.clear(), "keys[0].wrapped_key"),
        (
            |it| it.keys[0].wrapped_key = vec![0; 257],
            "keys[0].wrapped_key",
        ),
    ];
    for (bad, field) in bads {
        let field = format!("content.sealed.{field}");
        assert_invalid(test, sealed_but(bad), &[&field]).await;
    }
}

async fn a_sealed_content_needs_a_wrapped_key_for_each_holder(test: &TestService) {
    let for_all = |names: &[&str]| {
        sealed_but(|sealed| sealed.keys = names.iter().map(|name| wrap(name)).collect())
    };
    let [by_alice, by_the_app, ..] = told(test, Some(for_all(&["alice", "bob"]))).await;
    by_alice.expect("an answer: the sender holds a copy");
    let status = by_the_app.expect_err("a refusal: the app holds none");
    assert_eq!(reason_of(&status), "CONTENT_INVALID");
    let [by_alice, ..] = told(test, Some(for_all(&["bob", "eve"]))).await;
    let violations = by_alice.expect_err("a refusal").get_details_bad_request();
    let violations = violations.expect("violations").field_violations;
    assert_eq!(violations[0].field, "content.sealed.keys[1].profile_id");
}

async fn a_content_has_32_kib_unless_the_policy_says_otherwise(test: &TestService) {
    let of_bytes = |bytes: usize| {
        let around = prost::Message::encoded_len(&parts(&[("a/b", &vec![0; 30_000])])) - 30_000;
        parts(&[("a/b", &vec![0; bytes - around])])
    };
    assert_taken(test, of_bytes(32 * 1024)).await;
    let larger = of_bytes(32 * 1024 + 1);
    assert_refused(test, Some(larger), "MESSAGE_TOO_LARGE", &["content"]).await;
    let over_the_cap = of_bytes(64 * 1024 + 1);
    assert_refused(test, Some(over_the_cap), "MESSAGE_TOO_LARGE", &["content"]).await;
}

on_each_database![
    a_content_must_be_there,
    a_json_content_has_16_levels_and_1000_values,
    a_json_content_has_no_nul_and_only_finite_numbers,
    a_content_has_1_to_16_parts,
    a_mime_type_is_type_and_subtype,
    each_piece_of_a_sealed_content_has_its_limit,
    a_sealed_content_needs_a_wrapped_key_for_each_holder,
    a_content_has_32_kib_unless_the_policy_says_otherwise,
];
