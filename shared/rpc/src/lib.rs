//! What both services share: who calls, the layers around every call, how errors are
//! answered, and conversions between the wire and the domain.
//!
//! A call goes through the [`stack`], which verifies its token and leaves a proof of who
//! calls, a [`User`] or a [`System`], and a [`Deadline`]; its handler parses the request
//! with [`convert`], asks the store, and answers or fails with an [`RpcError`].

pub mod caller;
pub mod convert;
pub mod deadline;
pub mod error;
mod layer;
pub mod limiter;
pub mod limits;
pub mod methods;
mod pieces;
pub mod stack;
pub mod token_end;

pub use auth::Scope;
pub use caller::{System, User};
pub use deadline::Deadline;
pub use error::RpcError;
pub use limiter::Limiter;
pub use pieces::Pieces;
pub use token_end::TokenEnd;
