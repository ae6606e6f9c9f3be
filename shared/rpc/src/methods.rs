//! Who may call what: one row for each method, by its exact path.
//!
//! A listener's rows are checked against its descriptors at start: a method without a row,
//! or a row without a method, and the server does not start. A path without a row is
//! UNIMPLEMENTED, whoever asks: what is not there needs no token.

mod messaging;
mod open;
mod sys;

use std::collections::{BTreeSet, HashMap};

use auth::Scope;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without a token.
    Open,
    /// Users, on their own mailbox.
    User,
    /// The app itself, with this scope.
    System(Scope),
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Its path without the slash before it: `postroom.v1.Messaging/SendMessage`.
    pub name: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether its answer is a stream, which lasts as long as it is wanted.
    pub is_stream: bool,
    /// Whether its request is a stream, which takes as long as there is to say.
    pub takes_stream: bool,
    /// Whether it sends a message, for the quotas. Every call of a user counts as a call.
    pub sends: bool,
}

impl Method {
    const fn unary(name: &'static str, access: Access) -> Self {
        Self {
            name,
            access,
            is_stream: false,
            takes_stream: false,
            sends: false,
        }
    }

    const fn stream(name: &'static str, access: Access) -> Self {
        Self {
            name,
            access,
            is_stream: true,
            takes_stream: false,
            sends: false,
        }
    }

    /// The same, as one whose request is a stream.
    const fn taking_stream(self) -> Self {
        Self {
            takes_stream: true,
            ..self
        }
    }

    /// The same, as one that sends.
    const fn sending(self) -> Self {
        Self {
            sends: true,
            ..self
        }
    }
}

/// Which of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Users' calls to `postroom.v1.Messaging`.
    Messaging,
    /// The app's calls to `postroom.sys.v1.Sys`.
    Sys,
}

/// The rows and the descriptors do not agree.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The descriptors cannot be read.
    #[error("the descriptors are malformed")]
    Descriptors(#[source] prost::DecodeError),
    /// Nobody has said who may call a method.
    #[error("{0} has no row in the table of methods")]
    NoRow(String),
    /// A row is for a method that does not exist, or whose request or answer is of another kind.
    #[error("{0} has a row in the table of methods that is not its own")]
    NoMethod(String),
}

/// The methods of a listener.
#[derive(Debug)]
pub struct Methods(HashMap<&'static str, Method>);

impl Methods {
    /// The methods of a listener, beside those that every listener has.
    ///
    /// # Errors
    /// If the rows and the descriptors do not agree.
    pub fn of(listener: Listener) -> Result<Self, Mismatch> {
        match listener {
            Listener::Messaging => Self::checked(&messaging::ROWS, proto::MESSAGING_DESCRIPTOR_SET),
            Listener::Sys => Self::checked(&sys::ROWS, proto::SYS_DESCRIPTOR_SET),
        }
    }

    fn checked(rows: &[Method], descriptors: &[u8]) -> Result<Self, Mismatch> {
        let described = described(descriptors)?;
        let in_rows: BTreeSet<_> = rows
            .iter()
            .map(|row| (row.name.to_owned(), [row.takes_stream, row.is_stream]))
            .collect();
        if let Some((name, _)) = in_rows.difference(&described).next() {
            return Err(Mismatch::NoMethod(name.clone()));
        }
        if let Some((name, _)) = described.difference(&in_rows).next() {
            return Err(Mismatch::NoRow(name.clone()));
        }
        let all = rows.iter().chain(&open::ROWS);
        Ok(Self(all.map(|row| (row.name, *row)).collect()))
    }

    /// The method of a path, which is what stands between host and query.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Method> {
        self.0.get(path.strip_prefix('/')?).copied()
    }

    /// All methods, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Method> {
        self.0.values().copied()
    }
}

/// The methods of descriptors, and whether their requests and their answers are streams.
fn described(descriptors: &[u8]) -> Result<BTreeSet<(String, [bool; 2])>, Mismatch> {
    let files = FileDescriptorSet::decode(descriptors).map_err(Mismatch::Descriptors)?;
    let mut methods = BTreeSet::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let streams = [method.client_streaming(), method.server_streaming()];
                methods.insert((name, streams));
            }
        }
    }
    Ok(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_row_and_every_row_its_method() {
        for listener in [Listener::Messaging, Listener::Sys] {
            assert!(Methods::of(listener).is_ok(), "{listener:?}");
        }
    }

    #[test]
    fn a_method_without_a_row_is_an_error() {
        let rows = &messaging::ROWS[1..];
        assert_eq!(
            Methods::checked(rows, proto::MESSAGING_DESCRIPTOR_SET).err(),
            Some(Mismatch::NoRow(messaging::ROWS[0].name.to_owned()))
        );
    }

    #[test]
    fn a_row_without_a_method_is_an_error() {
        let mut rows = messaging::ROWS.to_vec();
        rows.push(Method::unary("postroom.v1.Messaging/None", Access::Open));
        assert_eq!(
            Methods::checked(&rows, proto::MESSAGING_DESCRIPTOR_SET).err(),
            Some(Mismatch::NoMethod("postroom.v1.Messaging/None".to_owned()))
        );
    }

    #[test]
    fn a_stream_whose_row_says_otherwise_is_an_error() {
        let mut rows = messaging::ROWS;
        for row in &mut rows {
            row.is_stream = false;
        }
        assert_eq!(
            Methods::checked(&rows, proto::MESSAGING_DESCRIPTOR_SET).err(),
            Some(Mismatch::NoMethod(
                "postroom.v1.Messaging/Subscribe".to_owned()
            ))
        );
    }

    #[test]
    fn paths_are_exact() {
        let methods = Methods::of(Listener::Messaging).expect("agreeing rows");
        let found = |path| methods.find(path).map(|method| method.access);
        assert_eq!(
            found("/postroom.v1.Messaging/SendMessage"),
            Some(Access::User)
        );
        assert_eq!(found("/grpc.health.v1.Health/Check"), Some(Access::Open));
        for path in [
            "postroom.v1.Messaging/SendMessage",
            "//postroom.v1.Messaging/SendMessage",
            "/postroom.v1.Messaging/SendMessage/",
            "/postroom.v1.Messaging/sendMessage",
            "/postroom.v1.Messaging/SendMessag%65",
            "/postroom.sys.v1.Sys/SendMessage",
            "/",
            "",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn users_methods_are_for_users_and_sys_methods_for_the_app() {
        for row in messaging::ROWS {
            assert_eq!(row.access, Access::User, "{}", row.name);
        }
        for row in sys::ROWS {
            assert!(matches!(row.access, Access::System(_)), "{}", row.name);
        }
    }
}
