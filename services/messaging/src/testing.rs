//! Fixtures for tests of requests.

use domain::request::Fingerprint;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{Content, MessageParts, Part, content::Body};

pub const FIRST: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
pub const SECOND: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

pub fn alice() -> ProfileId {
    ProfileId::parse("alice").expect("a profile id")
}

pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

pub fn content(body: &str) -> Content {
    Content {
        body: Some(Body::Parts(MessageParts {
            parts: vec![Part {
                mime_type: "text/plain".into(),
                body: body.to_owned().into(),
            }],
        })),
    }
}

pub fn fingerprint<A>(operation: &Operation<A>) -> Fingerprint {
    let request = operation.request.expect("a request that can be repeated");
    request.fingerprint
}

pub fn fields(violations: &Violations) -> Vec<&str> {
    let found = violations.as_slice().iter();
    found.map(|violation| violation.field.as_str()).collect()
}
