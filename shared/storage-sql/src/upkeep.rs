//! Upkeep of the database: expiry, trimming of tombstones, recounts.

pub mod recount;
pub mod sweep;
pub mod trim;
