//! HTTP/2 connections of the gRPC listeners: hyper's server with the bounds that tonic's does not
//! offer, a timeout for peers that stall within a frame, and a drain in steps.

mod calls;
mod complete_body;
mod connection;
mod control_budget;
mod executor;
mod frame_reader;
mod frame_tracker;
mod peer_conduct;
mod reset_excess;
mod retirement;
mod tap;

pub use calls::GrpcService;
pub use connection::ConnectionOptions;
