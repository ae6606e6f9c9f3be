//! Real time: streams show every change once and in order, on every replica.

mod devices;
pub mod ends;
mod frames;
mod random_writes;
mod replicas;
mod restored;
mod resuming;
mod settling;
pub mod subscriber;
