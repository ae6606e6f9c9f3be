//! How the program ends when it does not end well.

use std::process::ExitCode;

use crate::config;

/// The exit code for a command line or a configuration that is not usable.
pub const USAGE: u8 = 64;
/// The exit code for an endpoint where nobody answers.
const UNREACHABLE: u8 = 69;

/// Why a command did not do what was asked. The exit codes are those of `sysexits.h`,
/// where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is not usable.
    #[error("{0}")]
    Usage(String),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Nobody answers at the endpoint.
    #[error("cannot reach {endpoint}: {reason}")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// Why not.
        reason: String,
    },
    /// The endpoint speaks something else, or went away.
    #[error("the connection failed: {0}")]
    Disconnected(String),
    /// It was tried, and failed.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl Failure {
    /// What the shell is told.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => USAGE,
            Self::Unreachable { .. } | Self::Disconnected(_) => UNREACHABLE,
            Self::Failed(_) => 1,
        })
    }
}

impl From<config::Problem> for Failure {
    fn from(problem: config::Problem) -> Self {
        Self::Config(problem.into())
    }
}
