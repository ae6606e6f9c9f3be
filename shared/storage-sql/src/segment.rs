//! Messages to segments: how their recipients come in, and how their jobs go on.
//!
//! Recipients come in in any order, and more than there is memory for. They are stored in runs,
//! each sorted, and the runs are merged into one, which is what a job goes through. So each
//! recipient is there once, and neighbours in a chunk are neighbours in the tables.

mod chunks;
mod desk;
mod intake;
mod merge;
mod work;

pub use desk::Desk;
pub use work::Worker;
