//! Contents and their canonical forms: a message that is accepted is the same when it is read again.

use domain::{RequestId, Sender, Violations};
use prost::Message as _;
use prost_types::value::Kind;
use proto::v1;
use proto::v1::content::Body;
use rpc::convert::draft;
use rpc::convert::idempotency::Canonical;

use super::FuzzTarget;

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "content",
    run: |input| {
        let Ok(request) = v1::SendMessageRequest::decode(input) else {
            return false;
        };
        let Some(first) = fingerprint(request.clone()) else {
            return false;
        };
        let bytes = request.encode_to_vec();
        let again = v1::SendMessageRequest::decode(&*bytes).expect("what was just encoded");
        assert_eq!(fingerprint(again), Some(first));
        true
    },
    seeds,
};

/// Digest of the content and fingerprint of the request; none if it is refused.
fn fingerprint(mut request: v1::SendMessageRequest) -> Option<([u8; 32], [u8; 8])> {
    let mut violations = Violations::none();
    let sender = Sender {
        profile_id: None,
        name: "The game master".to_owned(),
        pic: String::new(),
    };
    let draft = draft::parse(&mut request, sender, None, &mut violations);
    let draft = violations.finish(draft).ok()?;
    let id = RequestId::parse("fuzz").expect("an id");
    let request = Canonical::of("fuzz").draft(&draft).of_app(Some(&id))?;
    Some((draft.content.digest, request.fingerprint.0))
}

fn seeds() -> Vec<Vec<u8>> {
    let text = |text: &str| prost_types::Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    };
    let numbers = [0.1, -0.0, 1e300, 9_007_199_254_740_993.0].map(|number| prost_types::Value {
        kind: Some(Kind::NumberValue(number)),
    });
    let list = prost_types::Value {
        kind: Some(Kind::ListValue(prost_types::ListValue {
            values: numbers.into(),
        })),
    };
    let object = prost_types::Struct {
        fields: [("a".to_owned(), text("b")), ("ä".to_owned(), list)].into(),
    };
    let object = prost_types::Value {
        kind: Some(Kind::StructValue(object)),
    };
    let part = v1::Part {
        mime_type: "text/plain".to_owned(),
        body: b"hello"[..].into(),
    };
    let sealed = v1::SealedContent {
        scheme: "hpke".to_owned(),
        payload: b"payload"[..].into(),
        sender_key_id: "alice-1".to_owned(),
        signature: b"signature"[..].into(),
        keys: vec![v1::KeyWrap {
            profile_id: "bob".to_owned(),
            key_id: "1".to_owned(),
            wrapped_key: vec![7; 32],
        }],
        ..Default::default()
    };
    let bodies = [
        Body::Json(object.encode_to_vec().into()),
        Body::Parts(v1::MessageParts { parts: vec![part] }),
        Body::Sealed(sealed),
    ];
    let requests = bodies.map(|body| v1::SendMessageRequest {
        to: vec!["bob".to_owned()],
        content: Some(v1::Content { body: Some(body) }),
        notification: Some(v1::Notification {
            title: "News".to_owned(),
            ..Default::default()
        }),
        request_id: "once".to_owned(),
        ..Default::default()
    });
    requests.map(|request| request.encode_to_vec()).into()
}
