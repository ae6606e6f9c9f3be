//! Background jobs, whose steps the replicas share.
//!
//! A [`JobKind`](runner::JobKind) lists its due jobs and runs their steps; the
//! [`JobRunner`](runner::JobRunner) chooses. The kinds: send jobs, the chains of the audit log, erasures
//! of profiles and of apps, and counts of usage. Whatever else is delivered, retried or worked off in
//! the background is another kind: one file that implements the trait, and one runner in the store.

pub mod app_erasures;
pub mod audit_chains;
mod backoff;
mod due;
pub mod erasures;
mod lease;
pub mod runner;
pub mod send_jobs;
pub mod usage_counts;
