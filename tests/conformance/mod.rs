//! The contract of a store: one list, both databases, no exceptions.

pub mod builders;
pub mod fixture;

mod audit;
mod audit_log;
mod batches;
mod blocks;
mod bulk;
mod cancelled;
mod coalesced_counts;
mod commits;
mod costs;
mod epochs;
mod expiry;
mod feed;
mod get_by_id;
mod held_rows;
mod isolation;
mod lanes;
mod order;
mod own_process;
mod page_offsets;
mod paging;
mod parts;
mod plans;
mod read_only;
mod read_turns;
mod repository;
mod requests;
mod revocations;
mod schema;
mod segments;
mod settings;
mod statements;
mod strangers;
mod trimming;
mod writes;
