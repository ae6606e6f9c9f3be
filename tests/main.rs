//! All tests that need a database or the running program, in one binary: they share one
//! `PostgreSQL`. Test names are sentences. Tests of the
//! second gear are ignored: `cargo test -- --include-ignored` runs them too.

mod access;
mod api;
mod conformance;
mod contract;
mod errors;
mod fuzz_smoke;
mod language;
mod model;
mod process;
mod realtime;
mod sync;
mod torture;
