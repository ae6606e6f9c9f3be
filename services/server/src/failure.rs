//! Failures of commands, and their exit codes.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use storage::error_chain;

use crate::config;

/// Exit code for an invalid command line or configuration.
pub const USAGE: u8 = 64;
/// Exit code for an unreachable endpoint.
const UNREACHABLE: u8 = 69;
/// Exit code after a second signal: 128 + SIGINT.
const UNDRAINED: u8 = 130;

/// Failure of a command. Exit codes are those of `sysexits.h` where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is invalid.
    #[error("{0}")]
    Usage(String),
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The endpoint cannot be reached.
    #[error("cannot reach {endpoint}: {reason}")]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// The error of the connection attempt.
        reason: String,
    },
    /// The connection was lost, or the endpoint speaks another protocol.
    #[error("the connection failed: {0}")]
    Disconnected(String),
    /// A second signal ended the service before its drain was over. The log has it.
    #[error("the drain was aborted")]
    Undrained,
    /// Standard output cannot be written. If its reader has ended, the command has done its work.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// The command failed or was refused.
    #[error("{}", error_chain(&**.0))]
    Failed(#[from] anyhow::Error),
}

impl Failure {
    /// Exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => USAGE,
            Self::Unreachable { .. } | Self::Disconnected(_) => UNREACHABLE,
            Self::Undrained => UNDRAINED,
            Self::Output(_) if self.is_end_of_reader() => 0,
            Self::Output(_) | Self::Failed(_) => 1,
        })
    }

    /// Returns whether the failure is printed: an aborted drain is in the log, and the end of a
    /// reader, as of `postroom inbox | head -1`, is no failure.
    pub fn is_told(&self) -> bool {
        !matches!(self, Self::Undrained) && !self.is_end_of_reader()
    }

    fn is_end_of_reader(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

impl From<config::Problem> for Failure {
    fn from(problem: config::Problem) -> Self {
        Self::Config(problem.into())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_message_that_the_one_before_contains_is_not_repeated() {
        let refused = || anyhow!("connection refused");
        let nested = anyhow::Error::from(io::Error::other(refused()));
        let failure = Failure::from(nested.context("cannot connect"));
        assert_eq!(failure.to_string(), "cannot connect: connection refused");
        let plain = refused().context("cannot connect").context("no database");
        assert_eq!(
            Failure::from(plain).to_string(),
            "no database: cannot connect: connection refused"
        );
    }

    #[test]
    fn the_end_of_a_reader_is_no_failure() {
        let ended = Failure::Output(ErrorKind::BrokenPipe.into());
        assert!(!ended.is_told());
        assert_eq!(
            format!("{:?}", ended.exit_code()),
            format!("{:?}", ExitCode::SUCCESS)
        );
        let full = Failure::Output(ErrorKind::StorageFull.into());
        assert!(full.is_told());
        assert_eq!(
            format!("{:?}", full.exit_code()),
            format!("{:?}", ExitCode::FAILURE)
        );
    }
}
