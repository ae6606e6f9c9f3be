//! The real program: how it starts, what it says, who can talk to it, how it ends.

mod configuration;
mod drain;
mod foreign_clients;
mod quotas;
mod readiness;
mod restore;
mod segments;
mod stalled_readers;
mod streams;
mod tls;
mod tokens;
