//! HTTP/2 connections of the gRPC listeners: hyper's server with the bounds that tonic's does not
//! offer, a timeout for peers that stall within a frame, and a drain in steps.

mod calls;
mod complete_body;
mod connection;
mod executor;
mod frame_tracker;
mod retirement;
mod tap;

pub use calls::GrpcService;
pub use connection::ConnectionOptions;
