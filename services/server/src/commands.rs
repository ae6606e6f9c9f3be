//! The sub-commands, one file each: what it takes, then what it does.

pub mod counts;
pub mod inbox;
pub mod migrate;
pub mod new_epoch;
pub mod options;
pub mod read;
pub mod send;
pub mod serve;
pub mod sys;
pub mod token;
pub mod verify;
pub mod watch;
