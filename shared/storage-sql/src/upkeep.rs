//! Work in the background: settling what has expired, deleting old rows, recounting
//! mailboxes, delivering to segments.

pub mod job_runner;
pub mod recount;
pub mod sweep;
pub mod trim;
