//! Parts that both services share: the catalogue of methods, the layers around every call, the
//! seam around every handler, errors, and conversions between the wire and the domain.
//!
//! A call passes the [`stack`], which authorizes it and adds the proof of the caller, a
//! [`User`] or a [`System`], and the [`Deadline`]. [`call`](call()) takes these from the request
//! and runs the handler, which parses the request with [`convert`], calls the store, and
//! returns an answer or an [`RpcError`].

mod call;
pub mod caller;
pub mod convert;
pub mod deadline;
pub mod error;
mod in_flight;
mod layer;
pub mod limiter;
pub mod limits;
pub mod methods;
pub mod peer_network;
mod refusal_streak;
mod request_stream;
pub mod revocations;
pub mod stack;

pub use auth::Scope;
pub use call::{GrpcResult, call};
pub use caller::{Proof, System, User};
pub use deadline::Deadline;
pub use error::RpcError;
pub use in_flight::{ConnectionAnswers, InFlightLimits};
pub use layer::access_log::PseudonymKey;
pub use layer::authorize::ConnectionScopes;
pub use layer::deadline::AnswerDeadline;
pub use limiter::Limiter;
pub use refusal_streak::RefusalStreak;
pub use request_stream::RequestStream;
pub use revocations::Revocations;
