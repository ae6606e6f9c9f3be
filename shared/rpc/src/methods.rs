//! The catalogue of methods: the only place of a method's path, access, effect and kind.
//!
//! The catalogue of a service is compared with its descriptors at start: if a method is missing,
//! unknown or of another kind, the server does not start. A call to a path without a method is
//! UNIMPLEMENTED for every caller, with or without a token.

mod check;
pub mod conversations;
pub mod messaging;
mod open;
pub mod sys;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Deref;

use auth::Scope;
use domain::audit::AuditKind;

pub use self::check::CatalogueError;

/// Callers who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone, without a token.
    Open,
    /// Users, on their own mailbox.
    User,
    /// The app itself, with this scope.
    System(Scope),
}

/// Effect of a method on what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// None.
    Reads,
    /// A change that can be repeated without a `request_id`: the second time changes nothing.
    WritesIdempotently,
    /// A change that is made once for each `request_id`, which the request has.
    Writes,
}

/// A method of a service.
#[expect(clippy::struct_excessive_bools, reason = "four independent properties")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Path of the request: `/postroom.v1.Messaging/SendMessage`.
    pub path: &'static str,
    /// Callers who may call it.
    pub access: Access,
    /// Effect on what is stored.
    pub effect: Effect,
    /// True if the response is a stream, which lasts until the client ends it.
    pub is_stream: bool,
    /// True if the request is a stream.
    pub takes_stream: bool,
    /// True if it counts as a send for the quotas. Every call of a user counts as a call.
    pub sends: bool,
    /// True if the response can have contents of messages.
    pub shows_contents: bool,
}

impl Method {
    const fn new(path: &'static str, access: Access, effect: Effect) -> Self {
        Self {
            path,
            access,
            effect,
            is_stream: false,
            takes_stream: false,
            sends: false,
            shows_contents: false,
        }
    }

    /// Marks the response as a stream.
    const fn streaming(self) -> Self {
        Self {
            is_stream: true,
            ..self
        }
    }

    /// Marks the request as a stream.
    const fn taking_stream(self) -> Self {
        Self {
            takes_stream: true,
            ..self
        }
    }

    /// Marks it as a method that sends messages.
    const fn sending(self) -> Self {
        Self {
            sends: true,
            ..self
        }
    }

    /// Marks it as a method that shows contents.
    const fn showing_contents(self) -> Self {
        Self {
            shows_contents: true,
            ..self
        }
    }

    /// Kind of its calls in the audit log, which has those of the app itself that change something
    /// or show contents; none for all others.
    #[must_use]
    pub const fn audit(&self) -> Option<AuditKind> {
        match self.access {
            Access::System(_) if self.is_mutating() => Some(AuditKind::Change),
            Access::System(_) if self.shows_contents => Some(AuditKind::Read),
            Access::System(_) | Access::User | Access::Open => None,
        }
    }

    /// Full name of the method: `postroom.v1.Messaging/SendMessage`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.strip_prefix('/').unwrap_or(self.path)
    }

    /// Returns true if calls change what is stored.
    #[must_use]
    pub const fn is_mutating(&self) -> bool {
        matches!(self.effect, Effect::WritesIdempotently | Effect::Writes)
    }

    /// Returns true if the request has a `request_id`.
    #[must_use]
    pub const fn takes_request_id(&self) -> bool {
        matches!(self.effect, Effect::Writes)
    }
}

/// A method, typed by the proof that its callers have: [`User`](crate::User) or
/// [`System`](crate::System).
#[derive(Debug)]
pub struct TypedMethod<C> {
    method: Method,
    caller: PhantomData<fn() -> C>,
}

impl<C> TypedMethod<C> {
    const fn new(method: Method) -> Self {
        Self {
            method,
            caller: PhantomData,
        }
    }
}

impl<C> Deref for TypedMethod<C> {
    type Target = Method;

    fn deref(&self) -> &Method {
        &self.method
    }
}

/// Defines the methods of a service, whose callers have this proof, and the list of them all.
macro_rules! catalogue {
    ($caller:ty: $($name:ident = $method:expr;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: super::TypedMethod<$caller> = super::TypedMethod::new($method);
        )*

        /// All methods of the service.
        pub(super) const ALL: &[super::Method] = &[$($name.method),*];
    };
}
use catalogue;

/// Services of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceName {
    /// `postroom.v1.Messaging` and `postroom.v1.Conversations`, for users.
    Messaging,
    /// `postroom.sys.v1.Sys`, for the app itself.
    Sys,
}

/// Methods of the services for users.
fn of_users() -> Vec<Method> {
    [messaging::ALL, conversations::ALL].concat()
}

/// Methods of a listener by their paths.
#[derive(Debug)]
pub struct Methods(HashMap<&'static str, Method>);

impl Methods {
    /// Returns the methods of a service, and those that every listener serves.
    ///
    /// # Errors
    /// If the catalogue and the descriptors differ.
    pub fn of(service: ServiceName) -> Result<Self, CatalogueError> {
        let (methods, descriptors) = match service {
            ServiceName::Messaging => (of_users(), proto::MESSAGING_DESCRIPTOR_SET),
            ServiceName::Sys => (sys::ALL.to_vec(), proto::SYS_DESCRIPTOR_SET),
        };
        check::against_descriptors(&methods, descriptors)?;
        let shared = open::HEALTH.into_iter().chain(open::reflection(service));
        let all = methods.into_iter().chain(shared);
        Ok(Self(all.map(|method| (method.path, method)).collect()))
    }

    /// Returns the method of a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Method> {
        self.0.get(path).copied()
    }

    /// All methods, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Method> {
        self.0.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_their_exact_path() {
        let methods = Methods::of(ServiceName::Messaging).expect("a catalogue");
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
    fn messaging_is_for_users_and_sys_for_the_app() {
        for method in of_users() {
            assert_eq!(method.access, Access::User, "{}", method.path);
        }
        for method in sys::ALL {
            assert!(
                matches!(method.access, Access::System(_)),
                "{}",
                method.path
            );
        }
    }
}
