//! The real program: configuration, output, clients, drains.

mod audit;
mod blocks;
mod configuration;
mod connections;
mod database_role;
mod deleted_contents;
mod drain;
mod erasure;
mod foreign_clients;
mod health;
mod issuers;
mod log;
mod metrics;
mod quotas;
mod readiness;
mod restore;
mod secrets;
mod segments;
mod service_manager;
mod signals;
mod stalled_readers;
mod streams;
mod tls;
mod tokens;
mod traces;
mod unfinished_calls;
