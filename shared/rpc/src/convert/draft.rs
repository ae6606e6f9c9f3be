//! The message of a send request, parsed once for all methods that send.

use std::mem;

use domain::operation::SendMessage;
use domain::{Draft, Operation, ProfileId, Refusal, RequestId, Sender, Violations};
use prost_types::Duration;
use proto::{sys, v1};

use super::idempotency::Canonical;
use super::{content, notification, time};
use crate::RpcError;
use crate::error::exceeded_limits;

/// The fields of a request that make a [`Draft`], but for its sender.
#[derive(Debug)]
pub struct DraftFields {
    content: ContentField,
    notification: Option<v1::Notification>,
    expire_after: Option<Duration>,
}

/// The field that carries the content.
#[derive(Debug)]
enum ContentField {
    Content(Option<v1::Content>),
    Text(String),
}

impl From<Option<v1::Content>> for ContentField {
    fn from(content: Option<v1::Content>) -> Self {
        Self::Content(content)
    }
}

impl From<String> for ContentField {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Takes the named fields out of a request; a request has a notification or not.
macro_rules! draft_fields {
    ($($request:ty: $content:ident $(, $notification:ident)?;)*) => {
        $(impl From<&mut $request> for DraftFields {
            fn from(request: &mut $request) -> Self {
                Self {
                    content: mem::take(&mut request.$content).into(),
                    notification: draft_fields!(@optional request $($notification)?),
                    expire_after: request.expire_after.take(),
                }
            }
        })*
    };
    (@optional $request:ident) => { None };
    (@optional $request:ident $field:ident) => { $request.$field.take() };
}

draft_fields! {
    v1::SendMessageRequest: content, notification;
    v1::SendMessageSimpleRequest: text;
    sys::v1::SendMessageRequest: content, notification;
    sys::v1::SendMessageSimpleRequest: text, notification;
    sys::v1::SendBulkRequest: content;
    sys::v1::SegmentMessage: content, notification;
}

/// Parses the message of a request. `to` are the recipients, none if they are invalid: the key
/// of a sealed content may be wrapped for them and the sender only.
pub fn parse(
    request: impl Into<DraftFields>,
    sender: Sender,
    to: Option<&[ProfileId]>,
    violations: &mut Violations,
) -> Option<Draft> {
    let fields = request.into();
    let content = match fields.content {
        ContentField::Content(content) => {
            if let Some(to) = to {
                let sender = sender.profile_id.as_ref();
                content::check_wraps(content.as_ref(), sender, to, violations);
            }
            content::parse(content, violations)
        }
        ContentField::Text(text) => content::simple(text, violations),
    };
    let notification = notification::parse(fields.notification.as_ref(), violations);
    let lifetime_ms = time::lifetime_ms(fields.expire_after, "expire_after", violations);
    Some(Draft {
        sender,
        content: content?,
        notification,
        lifetime_ms,
    })
}

impl Canonical {
    /// Adds a message to be sent. The name and picture of a user come from the token, so they
    /// are not part of the request.
    #[must_use]
    pub fn draft(self, draft: &Draft) -> Self {
        let Draft {
            sender,
            content,
            notification,
            lifetime_ms,
        } = draft;
        let of_app = sender.profile_id.is_none();
        let shown = of_app.then_some([&sender.name, &sender.pic]);
        self.field(&content.encoded)
            .list(notification)
            .list(lifetime_ms.map(i64::to_be_bytes))
            .list(shown.into_iter().flatten())
    }
}

/// The operation that sends a draft to named profiles, requested through `method`.
#[must_use]
pub fn send(
    draft: Draft,
    to: Vec<ProfileId>,
    method: &str,
    request_id: Option<&RequestId>,
) -> Operation<SendMessage> {
    let action = SendMessage::new(draft, to);
    let canonical = Canonical::of(method)
        .list(action.to().iter().map(ProfileId::as_str))
        .draft(&action.draft);
    let request = match &action.draft.sender.profile_id {
        Some(user) => canonical.of_user(user, request_id),
        None => canonical.of_app(request_id),
    };
    Operation { request, action }
}

/// The error of a request whose content is in another field than `content`.
#[must_use]
pub fn error(error: storage::Error, content_field: &str) -> RpcError {
    match error {
        storage::Error::Refused(Refusal::LimitsExceeded(exceeded)) => {
            exceeded_limits(&exceeded, content_field).into()
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use domain::request::Request;
    use prost::Message as _;
    use prost_types::value::Kind;
    use prost_types::{Struct, Value};

    use super::*;
    use crate::convert::testing::profile;

    fn content(fields: &[(&str, &str)]) -> v1::Content {
        let text = |text: &str| Kind::StringValue(text.to_owned()).into();
        let fields = fields
            .iter()
            .map(|&(name, value)| (name.to_owned(), text(value)))
            .collect();
        let object = Value::from(Kind::StructValue(Struct { fields }));
        v1::Content {
            body: Some(v1::content::Body::Json(object.encode_to_vec().into())),
        }
    }

    fn draft(content: v1::Content) -> Draft {
        let mut request = v1::SendMessageRequest {
            content: Some(content),
            ..v1::SendMessageRequest::default()
        };
        let mut violations = Violations::none();
        parse(&mut request, user("alice"), None, &mut violations).expect("a draft")
    }

    fn user(name: &str) -> Sender {
        Sender {
            profile_id: Some(profile("alice")),
            name: name.to_owned(),
            ..Sender::default()
        }
    }

    fn request(to: &[&str], draft: &Draft) -> Request {
        let id = RequestId::parse("once");
        let to = to.iter().map(|name| profile(name)).collect();
        let operation = send(draft.clone(), to, "/m", id.as_ref());
        operation.request.expect("a request")
    }

    #[test]
    fn order_and_duplicates_of_recipients_and_fields_do_not_change_the_request() {
        let one = draft(content(&[("a", "1"), ("b", "2")]));
        let same = draft(content(&[("b", "2"), ("a", "1")]));
        assert_eq!(
            request(&["bob", "carol"], &one),
            request(&["carol", "bob", "carol"], &same)
        );
    }

    #[test]
    fn another_recipient_content_or_lifetime_is_another_request() {
        let one = draft(content(&[("a", "1")]));
        let first = request(&["bob"], &one);
        let others = [
            draft(content(&[("a", "2")])),
            Draft {
                lifetime_ms: Some(1),
                ..one.clone()
            },
            Draft {
                notification: Some(bytes::Bytes::new()),
                ..one.clone()
            },
        ];
        for other in others {
            assert_ne!(request(&["bob"], &other).fingerprint, first.fingerprint);
        }
        assert_ne!(request(&["carol"], &one).fingerprint, first.fingerprint);
    }

    #[test]
    fn the_name_is_part_of_a_request_of_the_app_but_not_of_a_user() {
        let of_user = |name: &str| Draft {
            sender: user(name),
            ..draft(content(&[]))
        };
        let of_app = |name: &str| Draft {
            sender: Sender {
                profile_id: None,
                ..user(name)
            },
            ..draft(content(&[]))
        };
        let request = |draft| request(&["bob"], &draft);
        assert_eq!(request(of_user("a")), request(of_user("b")));
        assert_ne!(
            request(of_app("a")).fingerprint,
            request(of_app("b")).fingerprint
        );
        assert_ne!(request(of_app("a")).key, request(of_user("a")).key);
    }

    #[test]
    fn all_violations_of_a_message_are_collected() {
        let mut request = v1::SendMessageRequest {
            notification: Some(v1::Notification {
                sound: "x".repeat(65),
                ..v1::Notification::default()
            }),
            expire_after: Some(Duration::default()),
            ..v1::SendMessageRequest::default()
        };
        let mut violations = Violations::none();
        assert_eq!(
            parse(&mut request, user("alice"), None, &mut violations),
            None
        );
        assert_eq!(
            fields(&violations),
            ["content", "notification.sound", "expire_after"]
        );
    }

    fn fields(violations: &Violations) -> Vec<&str> {
        let found = violations.as_slice().iter();
        found.map(|violation| violation.field.as_str()).collect()
    }
}
