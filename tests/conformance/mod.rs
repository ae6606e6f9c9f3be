//! The contract of a store: one list, both databases, no exceptions.

pub mod bench;
pub mod words;

mod alone;
mod audit;
mod batches;
mod bulk;
mod cancelled;
mod commits;
mod expiry;
mod feed;
mod isolation;
mod lanes;
mod lives;
mod named;
mod order;
mod paging;
mod plans;
mod repository;
mod requests;
mod schema;
mod segments;
mod settings;
mod statements;
mod together;
mod trimming;
mod turning;
mod writes;
