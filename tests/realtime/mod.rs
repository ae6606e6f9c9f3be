//! Who follows a mailbox sees every change once and in order, wherever and whenever.

mod chance;
mod devices;
pub mod ends;
pub mod follower;
mod frames;
mod replicas;
mod restored;
mod resuming;
mod settling;
