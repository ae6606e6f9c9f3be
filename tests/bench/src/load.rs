//! Load generators: the generated clients, and pgbench for the baselines.

pub mod app;
pub mod caller;
pub mod closed_loop;
pub mod deliveries;
pub mod open_loop;
pub mod pgbench;
pub mod script;
pub mod subscribers;
