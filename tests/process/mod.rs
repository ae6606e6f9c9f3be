//! The real program: configuration, output, clients, drains.

mod configuration;
mod drain;
mod foreign_clients;
mod metrics;
mod quotas;
mod readiness;
mod restore;
mod segments;
mod stalled_readers;
mod streams;
mod tls;
mod tokens;
