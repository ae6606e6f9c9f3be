//! All tests that need a database or the running program, in one binary: they share one
//! `PostgreSQL`. Test names are sentences; no test is ignored or skipped.

mod access;
mod api;
mod conformance;
mod contract;
mod errors;
mod model;
mod process;
mod realtime;
mod torture;
