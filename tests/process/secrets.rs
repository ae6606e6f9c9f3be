//! Secrets of the program: they are in no output, and its files are for its owner only.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use proto::v1;
use support::command::output;
use support::issuer::TestIssuer;
use support::process::{Deployment, ServerProcess, StartOptions, postroom};
use support::secret_file;
use support::store::{DatabaseKind, TestEnvironment as _};
use support::temp_folder::TempFolder;

const CANARY: &str = "kanarienvogel";
const KEY: &str = "c0ffee07c0ffee07c0ffee07c0ffee07c0ffee07c0ffee07c0ffee07c0ffee07";
/// Everything is logged.
const TRACE: (&str, &str) = ("POSTROOM_LOG__LEVEL", "trace");

fn text_of(command: &mut Command) -> String {
    let said = output(command);
    [said.stdout, said.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat()
}

/// A file with an issuer, which a service needs to start.
fn config(folder: &Path) -> String {
    let jwks = folder.join("jwks.json");
    secret_file::write(&jwks, &TestIssuer::shared().jwks());
    let path = folder.join("postroom.toml");
    secret_file::write(&path, &TestIssuer::section(&jwks));
    path.display().to_string()
}

#[test]
fn no_error_about_a_database_shows_its_password() {
    let folder = TempFolder::new();
    let config = config(folder.path());
    for url in [
        // Nobody listens there.
        &format!("postgres://ann:{CANARY}@127.0.0.1:1/mail"),
        &format!("postgres://ann:{CANARY}@127.0.0.1:1/mail?unknown={CANARY}"),
        &format!("postgres://127.0.0.1:1/mail?password={CANARY}&sslmode={CANARY}"),
        &format!("postgres://ann:{CANARY}/{CANARY}@127.0.0.1:1/mail"),
        &format!("postgres://ann:{CANARY}@127.0.0.1:99999/mail"),
        &format!("postgres://ann:{CANARY}@db.example.com/mail"),
        &format!("mysql://ann:{CANARY}@127.0.0.1/mail"),
    ] {
        let file = folder.join("database-url");
        secret_file::write(&file, url);
        for (name, value) in [
            ("POSTROOM_DATABASE__URL", url.as_str()),
            ("POSTROOM_DATABASE__URL_FILE", &file.display().to_string()),
        ] {
            for command in [&["migrate", "up"][..], &["verify"], &["new-epoch"]] {
                let mut command = postroom([command, &["--config", &config]].concat());
                let said = text_of(command.env(name, value).env(TRACE.0, TRACE.1));
                assert!(!said.is_empty() && !said.contains(CANARY), "{url}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn a_trace_of_everything_shows_no_secret() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let mut start = deployment.start();
    let key = deployment.data_dir().join("pseudonym-key");
    secret_file::write(&key, KEY);
    let database = deployment.database().url();
    let password = database.split(['@', ':']).nth(2).expect("a password");
    let url = format!("{database}?unknown={CANARY}");
    start.database_url = Some(url);
    start.variables.extend([
        (
            "POSTROOM_LOG__PSEUDONYM_KEY_FILE",
            key.display().to_string(),
        ),
        (TRACE.0, TRACE.1.to_owned()),
    ]);
    let server = ServerProcess::start(&start);
    let mut alice = server.messaging(&server.tokens.alice);
    let counts = alice.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect("counts");
    server.terminate();
    server.wait_for_log("drain.done");
    let log = server.log();
    for secret in [CANARY, KEY, password, &server.tokens.alice] {
        assert!(!log.contains(secret), "{secret}");
    }
    deployment.end(true).await;
}

#[test]
fn files_that_a_service_creates_are_for_its_owner_only() {
    let folder = TempFolder::new();
    let server = ServerProcess::start(&StartOptions {
        data_dir: folder.join("data"),
        ..StartOptions::default()
    });
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("data")).expect("a folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("a mode").mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    for name in [
        "postroom.db",
        "postroom.db-wal",
        "postroom.db-shm",
        "signing-key.pem",
    ] {
        assert!(
            names.iter().any(|it| it == name),
            "{name} is not in {names:?}"
        );
    }
    let mode = fs::metadata(folder.join("data")).expect("a mode").mode();
    assert_eq!(mode & 0o777, 0o700);
    server.kill();
}
