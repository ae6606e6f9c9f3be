//! Blocks, by hand.

use std::process::Command;

use support::process::{Deployment, ServerProcess, postroom};
use support::{command, on_each_database};

/// Runs a command of a user, and returns what it says.
fn said(deployment: &Deployment, server: &ServerProcess, who: &str, arguments: &[&str]) -> String {
    let mut user: Command = postroom(arguments.iter().copied());
    user.args(["--as", who])
        .args(["--endpoint", &format!("http://{}", server.user)])
        .arg("--data-dir")
        .arg(deployment.data_dir());
    let output = command::output(&mut user);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn a_user_blocks_and_unblocks_from_the_command_line(deployment: &Deployment) {
    let server = deployment.serve();
    let run = |who: &str, arguments: &[&str]| said(deployment, &server, who, arguments);
    assert_eq!(run("bob", &["block", "eve"]), "eve is blocked\n");
    assert!(run("bob", &["blocks"]).contains("eve"));
    let sent = run("eve", &["send", "--to", "bob", "hello"]);
    assert!(sent.contains("to 1 of 1"), "{sent}");
    assert!(!run("bob", &["inbox"]).contains("hello"));
    assert_eq!(run("bob", &["unblock", "eve"]), "eve is not blocked\n");
    assert!(!run("bob", &["blocks"]).contains("eve"));
    run("eve", &["send", "--to", "bob", "again"]);
    let inbox = run("bob", &["inbox"]);
    assert!(
        inbox.contains("again") && !inbox.contains("hello"),
        "{inbox}"
    );
}

on_each_database![a_user_blocks_and_unblocks_from_the_command_line];
