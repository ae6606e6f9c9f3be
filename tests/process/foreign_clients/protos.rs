//! The public protos, as code generators take them.

use std::path::{Path, PathBuf};
use std::process::Command;

use support::workspace;

/// The files of the contract.
pub const FILES: [&str; 6] = [
    "postroom/sys/v1/sys.proto",
    "postroom/v1/error_reason.proto",
    "postroom/v1/event.proto",
    "postroom/v1/message.proto",
    "postroom/v1/messaging.proto",
    "postroom/v1/msgbox.proto",
];

/// The files with the details of errors, which come with grpcio.
pub const ERROR_FILES: [&str; 2] = ["google/rpc/error_details.proto", "google/rpc/status.proto"];

/// Returns the root of the files.
pub fn root() -> PathBuf {
    workspace::root().join("proto")
}

/// Returns the protoc that comes with grpcio; it generates Python, and takes plugins.
pub fn python_protoc(packages: &Path) -> Command {
    let mut protoc = Command::new("python3");
    protoc
        .args(["-m", "grpc_tools.protoc", "-I"])
        .arg(root())
        .arg("-I")
        .arg(packages)
        .env("PYTHONPATH", packages);
    protoc
}
