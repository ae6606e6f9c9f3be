//! A message to be sent: what all ways to send have in common.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::operation::SendMessage;
use domain::{Content, Operation, ProfileId, RequestId, Sender, Violations};
use prost_types::Duration;
use proto::v1;

use super::idempotency::Canonical;
use super::{content, id, notification, time};

/// A message to be sent, but for who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    to: Vec<ProfileId>,
    content: Content,
    content_field: &'static str,
    notification: Option<Bytes>,
    lifetime_ms: Option<i64>,
}

impl Draft {
    /// To those profiles, with any content. `sender` is the sending user, none for the app:
    /// a sealed content's key is wrapped for holders only.
    pub fn parse(
        sender: Option<&ProfileId>,
        to: &[String],
        content: Option<v1::Content>,
        notification: Option<&v1::Notification>,
        expire_after: Option<Duration>,
        violations: &mut Violations,
    ) -> Option<Self> {
        let to = id::recipients(to, violations);
        if let Some(to) = &to {
            content::check_wraps(content.as_ref(), sender, to, violations);
        }
        let content = content::parse(content, violations);
        let notification = notification::parse(notification, violations);
        let lifetime_ms = time::lifetime_ms(expire_after, "expire_after", violations);
        Some(Self {
            to: to?,
            content: content?,
            content_field: "content",
            notification,
            lifetime_ms,
        })
    }

    /// To those profiles, with the content `{"text": …}`.
    pub fn simple(
        to: &[String],
        text: String,
        notification: Option<&v1::Notification>,
        expire_after: Option<Duration>,
        violations: &mut Violations,
    ) -> Option<Self> {
        let to = id::recipients(to, violations);
        let content = content::simple(text, violations);
        let notification = notification::parse(notification, violations);
        let lifetime_ms = time::lifetime_ms(expire_after, "expire_after", violations);
        Some(Self {
            to: to?,
            content: content?,
            content_field: "text",
            notification,
            lifetime_ms,
        })
    }

    /// The operation that sends it, asked for by its sender through that method.
    #[must_use]
    pub fn send(
        self,
        from: Sender,
        method: &str,
        request_id: Option<&RequestId>,
    ) -> Operation<SendMessage> {
        let canonical = self.canonical(&from, method);
        let request = match &from.profile_id {
            Some(user) => canonical.of_user(user, request_id),
            None => canonical.of_app(request_id),
        };
        let action = SendMessage::new(from, self.to, self.content)
            .with_content_field(self.content_field)
            .with_notification(self.notification)
            .with_lifetime_ms(self.lifetime_ms);
        Operation { request, action }
    }

    /// Recipients are a set. A user's name and picture are the token's, not the request's.
    fn canonical(&self, from: &Sender, method: &str) -> Canonical {
        let to: BTreeSet<&str> = self.to.iter().map(ProfileId::as_str).collect();
        let given = from.profile_id.is_none();
        let shown = given.then_some([&from.name, &from.pic]);
        Canonical::of(method)
            .list(to)
            .field(&self.content.encoded)
            .list(&self.notification)
            .list(self.lifetime_ms.map(i64::to_be_bytes))
            .list(shown.into_iter().flatten())
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

    fn draft(to: &[&str], content: v1::Content) -> Draft {
        let to: Vec<String> = to.iter().map(|&text| text.to_owned()).collect();
        let mut violations = Violations::none();
        Draft::parse(None, &to, Some(content), None, None, &mut violations).expect("a draft")
    }

    fn user(name: &str) -> Sender {
        Sender {
            profile_id: Some(profile("alice")),
            name: name.to_owned(),
            ..Sender::default()
        }
    }

    fn request(draft: Draft, from: Sender) -> Request {
        let id = RequestId::parse("once");
        let operation = draft.send(from, "/m", id.as_ref());
        operation.request.expect("a request")
    }

    #[test]
    fn order_and_duplicates_of_recipients_and_fields_do_not_matter() {
        let one = draft(&["bob", "carol"], content(&[("a", "1"), ("b", "2")]));
        let same = draft(
            &["carol", "bob", "carol"],
            content(&[("b", "2"), ("a", "1")]),
        );
        assert_eq!(request(one, user("")), request(same, user("")));
    }

    #[test]
    fn another_recipient_content_or_lifetime_is_another_request() {
        let one = draft(&["bob"], content(&[("a", "1")]));
        let others = [
            draft(&["carol"], content(&[("a", "1")])),
            draft(&["bob"], content(&[("a", "2")])),
            Draft {
                lifetime_ms: Some(1),
                ..one.clone()
            },
            Draft {
                notification: Some(Bytes::new()),
                ..one.clone()
            },
        ];
        let first = request(one, user(""));
        for other in others {
            assert_ne!(request(other, user("")).fingerprint, first.fingerprint);
        }
    }

    #[test]
    fn the_name_is_the_tokens_for_users_and_the_requests_for_the_app() {
        let draft = || draft(&["bob"], content(&[]));
        assert_eq!(request(draft(), user("a")), request(draft(), user("b")));
        let app = |name: &str| Sender {
            profile_id: None,
            ..user(name)
        };
        assert_ne!(
            request(draft(), app("a")).fingerprint,
            request(draft(), app("b")).fingerprint
        );
        assert_ne!(
            request(draft(), app("a")).key,
            request(draft(), user("a")).key
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut violations = Violations::none();
        let none = Draft::parse(
            None,
            &["a b".to_owned()],
            None,
            Some(&v1::Notification {
                sound: "x".repeat(65),
                ..v1::Notification::default()
            }),
            Some(Duration::default()),
            &mut violations,
        );
        assert_eq!(none, None);
        let fields: Vec<&str> = violations
            .as_slice()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            ["to[0]", "content", "notification.sound", "expire_after"]
        );
    }
}
