//! The subcommands, one file each: arguments, then action.

pub mod accept_clock;
pub mod audit;
pub mod block;
pub mod blocks;
mod config_args;
pub mod counts;
pub mod erasures;
pub mod inbox;
pub mod keys;
pub mod migrate;
pub mod new_epoch;
pub mod read;
pub mod send;
pub mod serve;
pub mod sys;
pub mod token;
pub mod verify;
pub mod watch;
