//! The real program: how it starts, what it says, who can talk to it, how it ends.

mod closed_windows;
mod configuration;
mod drain;
mod foreign_clients;
mod quotas;
mod readiness;
mod restore;
mod segments;
mod streams;
mod tls;
mod tokens;
