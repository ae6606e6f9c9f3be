//! The public contract as others read it.

use std::process::Command;

use support::command::run;
use support::{tools, workspace};

#[test]
fn the_protos_pass_buf_lint() {
    let protos = workspace::root().join("proto");
    let mut buf = Command::new(tools::buf());
    run(buf.arg("lint").current_dir(protos)).expect("clean protos");
}
