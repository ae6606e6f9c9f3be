//! The upload of a segment's recipients.
//!
//! They arrive in any order, and are too many for memory: an external merge sort stores them in
//! sorted runs, and merges the runs into one, which the send job reads chunk by chunk. Each
//! recipient is there once, and neighbours in a chunk are neighbours in the tables.

pub mod chunks;
pub mod recipient_sort;
mod run_merge;
pub mod upload_slots;
