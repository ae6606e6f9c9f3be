//! Failures of commands, and their exit codes.

use std::process::ExitCode;

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
    /// The command failed or was refused.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl Failure {
    /// Exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => USAGE,
            Self::Unreachable { .. } | Self::Disconnected(_) => UNREACHABLE,
            Self::Undrained => UNDRAINED,
            Self::Failed(_) => 1,
        })
    }
}

impl From<config::Problem> for Failure {
    fn from(problem: config::Problem) -> Self {
        Self::Config(problem.into())
    }
}
