//! What an operation did, for the answer. Another kind of outcome than the operation has is
//! a bug.

use domain::operation::{Launched, Revision, Sent};
use domain::segment::JobReport;
use domain::{Outcome, Settings};
use storage::Error;

/// A message that was sent.
pub fn sent(outcome: Outcome) -> Result<Sent, Error> {
    match outcome {
        Outcome::Sent(sent) => Ok(sent),
        other => Err(unexpected(&other)),
    }
}

/// How many entries or messages are as wished.
pub fn changed(outcome: Outcome) -> Result<u32, Error> {
    match outcome {
        Outcome::Changed(actual) => Ok(actual),
        other => Err(unexpected(&other)),
    }
}

/// A content that was changed.
pub fn revised(outcome: Outcome) -> Result<Revision, Error> {
    match outcome {
        Outcome::Revised(revision) => Ok(revision),
        other => Err(unexpected(&other)),
    }
}

/// Settings that are in force.
pub fn configured(outcome: Outcome) -> Result<Settings, Error> {
    match outcome {
        Outcome::Configured(settings) => Ok(settings),
        other => Err(unexpected(&other)),
    }
}

/// A message that was sent to a segment.
pub fn launched(outcome: Outcome) -> Result<Launched, Error> {
    match outcome {
        Outcome::Launched(launched) => Ok(launched),
        other => Err(unexpected(&other)),
    }
}

/// How far a job is.
pub fn job(outcome: Outcome) -> Result<JobReport, Error> {
    match outcome {
        Outcome::Job(report) => Ok(report),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(outcome: &Outcome) -> Error {
    Error::Internal(format!("an operation had the outcome of another: {outcome:?}").into())
}
