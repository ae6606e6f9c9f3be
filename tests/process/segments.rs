//! Sends to the profiles in a file, by hand.

use std::fs::File;
use std::process::{Command, Output, Stdio};

use proto::sys::v1::GetMessagesPageRequest;
use support::process::{Deployment, ServerProcess, postroom};
use support::{command, on_each_database};

/// Recipients, more than two messages of the stream hold.
const RECIPIENTS: usize = 12_000;

/// A command of the app.
pub fn sys(deployment: &Deployment, server: &ServerProcess, arguments: &[&str]) -> Command {
    let mut sys = postroom(["sys"]);
    sys.args(arguments)
        .args(["--endpoint", &format!("http://{}", server.sys)])
        .arg("--data-dir")
        .arg(deployment.data_dir());
    sys
}

/// Always the same send.
fn send(file: &str) -> Vec<&str> {
    let mut send = vec!["send", "--from-name", "News", "--request-id", "final"];
    send.extend(["--to-file", file, "You are in the final"]);
    send
}

/// Writes a file into the deployment.
fn write(deployment: &Deployment, name: &str, text: &str) -> String {
    let path = deployment.data_dir().join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn ids(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|number| format!("owner{number}")).collect();
    lines.join("\n")
}

#[track_caller]
fn done(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn job_id(said: &str) -> &str {
    let job = said.lines().find_map(|line| line.strip_prefix("job "));
    job.unwrap_or_else(|| panic!("no job in {said}"))
}

async fn a_file_of_recipients_is_sent_and_followed_to_its_end(deployment: &Deployment) {
    let server = deployment.serve();
    let text = format!("{}\n\n owner0 \r\nowner1\n", ids(700));
    let file = write(deployment, "finalists.txt", &text);
    let said = done(&command::output(&mut sys(
        deployment,
        &server,
        &send(&file),
    )));
    assert!(said.contains(" to 700 profiles, 2 duplicates"), "{said}");
    // The same from standard input is the same send.
    let mut again = sys(deployment, &server, &send("-"));
    let input = File::open(&file).expect("the file");
    again.stdin(Stdio::from(input));
    assert_eq!(done(&again.output().expect("an end")), said);
    let watch = ["job", job_id(&said), "--watch"];
    let watched = done(&command::output(&mut sys(deployment, &server, &watch)));
    assert!(watched.contains(": done\n"), "{watched}");
    assert!(
        watched.contains("700 delivered, 0 full, 0 failed"),
        "{watched}"
    );
}

async fn a_file_with_a_line_that_is_no_profile_id_sends_nothing(deployment: &Deployment) {
    let server = deployment.serve();
    let wrong = format!("{}\nbob\u{200b}\n", ids(RECIPIENTS));
    let wrong = write(deployment, "wrong.txt", &wrong);
    let refused = command::output(&mut sys(deployment, &server, &send(&wrong)));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(64), "{told}");
    assert!(told.contains(&format!("line {}", RECIPIENTS + 1)), "{told}");
    // With the line put right, the same command sends, and nothing else was.
    let right = write(deployment, "right.txt", &ids(RECIPIENTS));
    let said = done(&command::output(&mut sys(
        deployment,
        &server,
        &send(&right),
    )));
    assert!(said.contains(" to 12000 profiles, 0 duplicates"), "{said}");
    let mut app = server.system();
    let page = app
        .get_messages_page(GetMessagesPageRequest::default())
        .await;
    let page = page.expect("a page").into_inner().results.expect("results");
    assert_eq!(page.items.len(), 1);
    let cancel = ["job", job_id(&said), "--cancel"];
    let stopped = done(&command::output(&mut sys(deployment, &server, &cancel)));
    // A fast machine may have been done before.
    let has_ended = stopped.contains(": cancelled\n") || stopped.contains(": done\n");
    assert!(has_ended, "{stopped}");
}

on_each_database![
    a_file_of_recipients_is_sent_and_followed_to_its_end,
    a_file_with_a_line_that_is_no_profile_id_sends_nothing,
];
