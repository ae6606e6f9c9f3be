//! Answers and errors, as the generated services give them.

use tonic::{Response, Status};

use crate::RpcError;

/// What a method of a generated service gives back.
pub type Reply<T> = Result<Response<T>, Status>;

/// What a handler said, for the wire.
pub fn reply<T>(answer: Result<T, RpcError>) -> Reply<T> {
    answer.map(Response::new).map_err(Status::from)
}
