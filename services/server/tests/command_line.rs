//! Command line and configuration errors of the binary. No test here needs a database or a free
//! port.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Time limit of a run of the program, which only a hanging one reaches.
const RUN_TIMEOUT: Duration = Duration::from_mins(10);

/// Temporary directory of a test, removed when it is dropped.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("postroom-cli-{}", uuid::Uuid::now_v7()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .expect("a directory");
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

/// Runs the program to its end, or kills it after [`RUN_TIMEOUT`]: then it serves and should not.
fn output(postroom: &mut Command) -> Output {
    postroom
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let process = postroom.spawn().expect("it runs");
    let id = process.id().to_string();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(process.wait_with_output()));
    if let Ok(output) = end.recv_timeout(RUN_TIMEOUT) {
        return output.expect("an end");
    }
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s KILL "$0""#, &id])
        .status();
    panic!("no end: {postroom:?}")
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn assert_exit(output: &Output, code: i32, texts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for text in texts {
        assert!(stderr.contains(text), "{text:?} is not in {stderr}");
    }
}

#[test]
fn an_unknown_flag_exits_with_64() {
    assert_exit(
        &TempDir::new().postroom(&["serve", "--loud"]),
        64,
        &["--loud"],
    );
    assert_exit(&TempDir::new().postroom(&["dance"]), 64, &["dance"]);
}

#[test]
fn a_closed_standard_output_is_no_failure_and_a_full_one_is() {
    let dir = TempDir::new();
    let migrate = |stdout: Stdio| {
        let mut postroom = Command::new(env!("CARGO_BIN_EXE_postroom"));
        postroom
            .args(["migrate", "up", "--database-url", "sqlite:postroom.db"])
            .env_clear()
            .current_dir(&dir.0)
            .stdout(stdout)
            .stderr(Stdio::piped());
        postroom.output().expect("it runs")
    };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let unread = migrate(writer.into());
    assert_exit(&unread, 0, &[]);
    assert_eq!(String::from_utf8_lossy(&unread.stderr), "");
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let full = migrate(full.expect("a device").into());
    assert_exit(&full, 1, &["cannot write to standard output"]);
}

#[test]
fn help_exits_with_0_and_shows_examples() {
    let dir = TempDir::new();
    for command in [
        "serve",
        "token",
        "migrate",
        "verify",
        "new-epoch",
        "accept-clock",
        "audit",
        "send",
        "inbox",
        "read",
        "counts",
        "sys",
    ] {
        let output = dir.postroom(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("Example"), "{command}: {text}");
    }
}

#[test]
fn an_invalid_configuration_exits_with_64_and_names_the_key() {
    let dir = TempDir::new();
    let issuer = "[[issuer]]\niss = 'me'\njwks = 'jwks.json'\napps = '*'\nkinds = ['user']\n";
    for (file, texts) in [
        (
            "[user]\nadress = '127.0.0.1:0'",
            &["user.adress", "postroom.toml"][..],
        ),
        (
            "[limits]\nstreams_per_connection = 1001",
            &["limits.streams_per_connection", "1001"],
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
        let path = dir.write("postroom.toml", file);
        assert_exit(&dir.postroom(&["serve", "--config", &path]), 64, texts);
    }
    assert_exit(
        &dir.postroom(&["serve", "--config", "none.toml"]),
        64,
        &["none.toml"],
    );
}

#[test]
fn a_variable_of_an_unknown_key_exits_with_64() {
    let dir = TempDir::new();
    let serve = |name| dir.postroom_with(&["serve"], &[(name, "1")]);
    assert_exit(
        &serve("POSTROOM_USER__PORT"),
        64,
        &["user.port", "POSTROOM_USER__PORT"],
    );
    assert_exit(
        &serve("POSTROOM_DATABASE_URL"),
        64,
        &["POSTROOM_DATABASE__URL"],
    );
}

#[test]
fn an_error_contains_no_password() {
    let url = [("POSTROOM_DATABASE__URL", "mysql://ann:canary@db/mail")];
    let output = TempDir::new().postroom_with(&["serve"], &url);
    assert_exit(&output, 64, &["database.url"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("canary"));
}

#[test]
fn a_development_listener_beyond_loopback_is_refused() {
    let dir = TempDir::new();
    for flag in ["--user-address", "--sys-address", "--operations-address"] {
        let output = dir.postroom_with(
            &["serve", "--dev", flag, "0.0.0.0:0"],
            &[("POSTROOM_SYS__INSECURE", "true")],
        );
        assert_exit(&output, 64, &["loopback"]);
    }
}

#[test]
fn a_data_directory_with_mode_0755_is_refused() {
    let dir = TempDir::new();
    let data = dir.0.join("data");
    fs::create_dir(&data).expect("a directory");
    loosen(&data, 0o755);
    let output = dir.postroom(&["serve", "--dev", "--data-dir", "data"]);
    assert_exit(&output, 64, &["data", "0755", "0700"]);
}

fn loosen(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn a_token_without_a_key_is_refused() {
    let dir = TempDir::new();
    let output = dir.postroom(&["token", "--sub", "alice", "--data-dir", "."]);
    assert_exit(&output, 64, &["serve --dev"]);
}

#[test]
fn new_keys_are_made_once_and_the_private_one_is_for_its_owner() {
    let dir = TempDir::new();
    let new = ["keys", "new", "--private", "app.pem", "--jwks", "app.json"];
    assert_exit(&dir.postroom(&new), 0, &[]);
    let mode = |name| {
        fs::metadata(dir.0.join(name))
            .expect("a file")
            .permissions()
    };
    assert_eq!(mode("app.pem").mode() & 0o777, 0o600);
    assert_eq!(mode("app.json").mode() & 0o777, 0o644);
    let before = fs::read(dir.0.join("app.pem")).expect("a key");
    assert_exit(&dir.postroom(&new), 64, &["app.pem", "not replaced"]);
    assert_eq!(fs::read(dir.0.join("app.pem")).expect("a key"), before);
    let other = ["keys", "new", "--private", "b.pem", "--jwks", "app.json"];
    assert_exit(&dir.postroom(&other), 64, &["app.json", "not replaced"]);
    assert!(!dir.0.join("b.pem").exists());
}

#[test]
fn an_explanation_of_a_token_says_why_it_is_refused() {
    let dir = TempDir::new();
    let new = ["keys", "new", "--private", "app.pem", "--jwks", "app.json"];
    assert_exit(&dir.postroom(&new), 0, &[]);
    let issuer = "[[issuer]]\niss = 'me'\njwks = 'app.json'\napp = 'chess'\nkinds = ['user']\n";
    let config = dir.write("postroom.toml", issuer);
    for (token, texts) in [
        ("nonsense", &["refused: malformed"][..]),
        // Claims: {"iss":"you"}, {"iss":"me","aud":"x"}, {"iss":"me","aud":"postroom"}.
        (
            "eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.eyJpc3MiOiJ5b3UifQ.AA",
            &["an unknown issuer", "\"me\""],
        ),
        (
            "eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.eyJpc3MiOiJtZSIsImF1ZCI6IngifQ.AA",
            &["a wrong audience", "\"postroom\""],
        ),
        (
            "eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.eyJpc3MiOiJtZSIsImF1ZCI6InBvc3Ryb29tIn0.AA",
            &["an unknown key", "\"k\""],
        ),
    ] {
        let explain = ["token", "--explain", token, "--config", &config];
        let output = dir.postroom(&explain);
        assert_exit(&output, 1, texts);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(
            token == "nonsense" || shown.contains(r#"header {"alg":"EdDSA","kid":"k"}"#),
            "{shown}"
        );
    }
    let output = dir.postroom(&["token", "--explain", "t"]);
    assert_exit(&output, 64, &["--config"]);
}

#[test]
fn a_client_without_a_caller_exits_with_64() {
    assert_exit(
        &TempDir::new().postroom(&["counts"]),
        64,
        &["--as", "POSTROOM_TOKEN"],
    );
}

/// Arguments of a send without recipients.
const SEND: [&str; 5] = ["sys", "send", "--from-name", "News", "hello"];
/// A token that no service accepts.
const TOKEN: [(&str, &str); 1] = [("POSTROOM_TOKEN", "t")];

#[test]
fn a_send_has_recipients_from_either_flags_or_a_file() {
    let dir = TempDir::new();
    let send = |to: &[&str]| dir.postroom_with(&[&SEND[..], to].concat(), &TOKEN);
    assert_exit(&send(&[]), 64, &["--to", "--to-file"]);
    let both = ["--to", "bob", "--to-file", "finalists.txt"];
    assert_exit(&send(&both), 64, &["--to", "--to-file"]);
}

#[test]
fn a_missing_recipient_file_exits_with_64() {
    let dir = TempDir::new();
    let output = dir.postroom_with(
        &[&SEND[..], &["--to-file", "finalists.txt"]].concat(),
        &TOKEN,
    );
    assert_exit(&output, 64, &["finalists.txt"]);
}

#[test]
fn an_unreachable_endpoint_exits_with_69() {
    let dir = TempDir::new();
    let output = dir.postroom_with(&["counts", "--endpoint", "http://127.0.0.1:1"], &TOKEN);
    assert_exit(&output, 69, &["http://127.0.0.1:1"]);
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_shown() {
    let url = "postgres://ann:kanarienvogel@localhost/mail";
    for command in [&["serve"][..], &["migrate", "up"], &["verify"]] {
        let output = TempDir::new().postroom(&[command, &["--database-url", url]].concat());
        assert_exit(
            &output,
            64,
            &["--database-url", "POSTROOM_DATABASE__URL_FILE"],
        );
        assert!(!String::from_utf8_lossy(&output.stderr).contains("kanarienvogel"));
    }
}

#[test]
fn a_world_readable_token_file_is_refused() {
    let dir = TempDir::new();
    let path = dir.write("token", "t");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    let output = dir.postroom(&["counts", "--token-file", &path]);
    assert_exit(&output, 64, &[&path, "0644"]);
}

#[test]
fn a_missing_database_is_an_error_of_all_commands_that_only_read_it() {
    let dir = TempDir::new();
    for command in [
        &["verify"][..],
        &["new-epoch"],
        &["accept-clock"],
        &["migrate", "status"],
    ] {
        let typo = [command, &["--database-url", "sqlite:typo.db"]].concat();
        assert_exit(&dir.postroom(&typo), 1, &["typo.db does not exist"]);
        let typo = [command, &["--dev", "--data-dir", "typo"]].concat();
        assert_exit(&dir.postroom(&typo), 64, &["typo"]);
    }
    let created = fs::read_dir(&dir.0).expect("a directory").count();
    assert_eq!(created, 0);
}
