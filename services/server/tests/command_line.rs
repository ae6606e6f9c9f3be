//! What the binary says before it begins anything: no test here needs a database or a port
//! that is free.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longest run of the program. Only one that hangs reaches it.
const PATIENCE: Duration = Duration::from_mins(10);

/// A folder of its own for each test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("postroom-cli-{}", uuid::Uuid::now_v7()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    fn postroom(&self, arguments: &[&str]) -> Output {
        self.postroom_with(arguments, &[])
    }

    fn postroom_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut postroom = Command::new(env!("CARGO_BIN_EXE_postroom"));
        postroom
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(&self.0);
        output(&mut postroom)
    }
}

/// Runs it to its end. One that goes on is killed: it was to be refused, and serves.
fn output(postroom: &mut Command) -> Output {
    postroom
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let process = postroom.spawn().expect("it runs");
    let id = process.id().to_string();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(process.wait_with_output()));
    if let Ok(output) = end.recv_timeout(PATIENCE) {
        return output.expect("an end");
    }
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s KILL "$0""#, &id])
        .status();
    panic!("it does not end: {postroom:?}")
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, told: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for text in told {
        assert!(stderr.contains(text), "{text:?} is not in {stderr}");
    }
}

#[test]
fn an_unknown_flag_ends_with_64() {
    assert_ends(
        &Folder::new().postroom(&["serve", "--loud"]),
        64,
        &["--loud"],
    );
    assert_ends(&Folder::new().postroom(&["dance"]), 64, &["dance"]);
}

#[test]
fn help_ends_with_0_and_shows_examples() {
    let folder = Folder::new();
    for command in [
        "serve", "token", "migrate", "verify", "send", "inbox", "read", "counts", "sys",
    ] {
        let output = folder.postroom(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("Example"), "{command}: {text}");
    }
}

#[test]
fn a_configuration_that_is_not_usable_ends_with_64_and_says_why() {
    let folder = Folder::new();
    let issuer = "[[issuer]]\niss = 'me'\njwks = 'jwks.json'\napps = '*'\nkinds = ['user']\n";
    for (file, told) in [
        (
            "[user]\nadress = '127.0.0.1:0'",
            &["user.adress", "postroom.toml"][..],
        ),
        (
            "[limits]\nstreams_per_connection = 251",
            &["limits.streams_per_connection", "251"],
        ),
        (
            "[sys]\naddress = '0.0.0.0:0'",
            &["sys.address", "sys.insecure"],
        ),
        ("[user", &["postroom.toml"]),
        ("", &["issuer"]),
        (issuer, &["jwks.json"]),
        (
            &format!("{issuer}[user.tls]\ncertificate = 'no.crt'\nkey = 'no.key'"),
            &["user.tls.certificate", "no.crt"],
        ),
    ] {
        let path = folder.write("postroom.toml", file);
        assert_ends(&folder.postroom(&["serve", "--config", &path]), 64, told);
    }
    assert_ends(
        &folder.postroom(&["serve", "--config", "none.toml"]),
        64,
        &["none.toml"],
    );
}

#[test]
fn a_variable_that_is_no_key_ends_with_64() {
    let folder = Folder::new();
    let serve = |name| folder.postroom_with(&["serve"], &[(name, "1")]);
    assert_ends(
        &serve("POSTROOM_USER__PORT"),
        64,
        &["user.port", "POSTROOM_USER__PORT"],
    );
    assert_ends(
        &serve("POSTROOM_DATABASE_URL"),
        64,
        &["POSTROOM_DATABASE__URL"],
    );
}

#[test]
fn a_password_is_in_no_message() {
    let url = [("POSTROOM_DATABASE__URL", "mysql://ann:canary@db/mail")];
    let output = Folder::new().postroom_with(&["serve"], &url);
    assert_ends(&output, 64, &["database.url"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("canary"));
}

#[test]
fn the_development_service_listens_on_loopback_only() {
    let folder = Folder::new();
    for flag in ["--user-address", "--sys-address", "--operations-address"] {
        let output = folder.postroom_with(
            &["serve", "--dev", flag, "0.0.0.0:0"],
            &[("POSTROOM_SYS__INSECURE", "true")],
        );
        assert_ends(&output, 64, &["loopback"]);
    }
}

#[test]
fn a_data_directory_that_others_may_enter_is_refused() {
    let folder = Folder::new();
    let data = folder.0.join("data");
    fs::create_dir(&data).expect("a folder");
    loosen(&data, 0o755);
    let output = folder.postroom(&["serve", "--dev", "--data-dir", "data"]);
    assert_ends(&output, 64, &["data", "0755", "0700"]);
}

fn loosen(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn without_a_key_there_is_no_token() {
    let folder = Folder::new();
    let output = folder.postroom(&["token", "--sub", "alice", "--data-dir", "."]);
    assert_ends(&output, 64, &["serve --dev"]);
}

#[test]
fn a_client_says_who_calls() {
    assert_ends(
        &Folder::new().postroom(&["counts"]),
        64,
        &["--as", "POSTROOM_TOKEN"],
    );
}

/// The app sends something, but for to whom.
const SEND: [&str; 7] = [
    "sys",
    "send",
    "--from-name",
    "News",
    "--token",
    "t",
    "hello",
];

#[test]
fn the_app_says_in_one_way_to_whom_it_sends() {
    let folder = Folder::new();
    let send = |to: &[&str]| folder.postroom(&[&SEND[..], to].concat());
    assert_ends(&send(&[]), 64, &["--to", "--to-file"]);
    let both = ["--to", "bob", "--to-file", "finalists.txt"];
    assert_ends(&send(&both), 64, &["--to", "--to-file"]);
}

#[test]
fn a_file_of_recipients_that_is_not_there_ends_with_64() {
    let folder = Folder::new();
    let output = folder.postroom(&[&SEND[..], &["--to-file", "finalists.txt"]].concat());
    assert_ends(&output, 64, &["finalists.txt"]);
}

#[test]
fn an_endpoint_where_nobody_answers_ends_with_69() {
    let folder = Folder::new();
    let reach = ["--token", "t", "--endpoint", "http://127.0.0.1:1"];
    let output = folder.postroom(&[&["counts"][..], &reach].concat());
    assert_ends(&output, 69, &["http://127.0.0.1:1"]);
}
