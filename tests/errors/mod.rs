//! Errors of failed calls: code, reason, text and details, compared with the files in `golden`.
//!
//! A difference fails. Where it is meant, `cargo insta review` takes it over, or rename the
//! `.snap.new` file that the failed test leaves.

mod bounds;
mod callers;
mod canaries;
mod conversations;
mod draining;
mod feed;
mod fields;
mod golden;
mod quotas;
mod reasons;
mod rules;
mod server;
