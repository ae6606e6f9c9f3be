//! Upkeep of the database: expiry, orphans, trimming of tombstones, recounts, lists of erasures.

pub mod erasure_list;
pub mod kept_recount;
pub mod naming_rows;
pub mod orphans;
pub mod recount;
pub mod sweep;
pub mod trim;
