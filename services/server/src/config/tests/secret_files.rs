//! Secrets: files with them, and errors that do not show them.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::config::secrets::{SECRETS, file_key};

const CANARY: &str = "kanarienvogel";
const DIGITS: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// A file, removed when this is dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str, mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("postroom-file-{}", uuid::Uuid::now_v7()));
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
        Self(path)
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        fs::remove_file(&self.0).expect("an end");
    }
}

#[test]
fn each_secret_has_a_key_for_its_file() {
    let all = keys::all_keys();
    let of_files: Vec<_> = all.iter().filter(|key| key.ends_with("_file")).collect();
    assert_eq!(of_files.len(), SECRETS.len());
    for key in SECRETS {
        assert!(
            all.contains(&key.to_owned()) && all.contains(&file_key(key)),
            "{key}"
        );
    }
}

#[test]
fn a_secret_is_read_from_its_file_without_the_end_of_its_line() {
    let (url, key) = (
        TempFile::new(&format!("postgres://ann:{CANARY}@localhost/mail\n"), 0o600),
        TempFile::new(&format!("{DIGITS}\r\n"), 0o440),
    );
    let file = format!(
        "[database]\nurl_file = '{}'\n[log]\npseudonym_key_file = '{}'",
        url.path(),
        key.path()
    );
    let config = load(&file, &[], Flags::default()).expect("a configuration");
    assert!(config.database.url.expose().contains(CANARY));
    assert_eq!(
        config.log.pseudonym_key.as_ref().map(HexKey::bytes),
        Some([7; 32])
    );
    assert!(!format!("{config:?}").contains(CANARY));
    assert!(!format!("{config:?}").contains("7, 7"));
}

#[test]
fn a_later_secret_overrides_an_earlier_one_in_a_file_or_not() {
    let url = TempFile::new("sqlite:secret", 0o600);
    let by_file = format!("[database]\nurl_file = '{}'", url.path());
    let variables = [("POSTROOM_DATABASE__URL", "sqlite:variable")];
    let config = load(&by_file, &variables, Flags::default()).expect("a configuration");
    assert_eq!(config.database.url.expose(), "sqlite:variable");

    let path = url.path();
    let variables = [("POSTROOM_DATABASE__URL_FILE", path.as_str())];
    let config = load(
        "[database]\nurl = 'sqlite:file'",
        &variables,
        Flags::default(),
    );
    let config = config.expect("a configuration");
    assert_eq!(config.database.url.expose(), "sqlite:secret");

    let both = format!("{by_file}\nurl = 'sqlite:file'");
    let error = load(&both, &[], Flags::default()).expect_err("refused");
    assert!(
        error.contains("database.url_file: database.url is set as well"),
        "{error}"
    );
}

#[test]
fn an_unusable_secret_file_is_reported_with_its_key_and_path() {
    let (empty, open) = (TempFile::new("\n", 0o600), TempFile::new("sqlite:x", 0o604));
    for (path, what) in [
        ("/nowhere".to_owned(), "No such file"),
        (empty.path(), "is empty"),
        (open.path(), "has mode 0604"),
    ] {
        let variables = [("POSTROOM_DATABASE__URL_FILE", path.as_str())];
        let error = load("", &variables, Flags::default()).expect_err("refused");
        for text in [
            "database.url_file",
            &path,
            what,
            "POSTROOM_DATABASE__URL_FILE",
        ] {
            assert!(error.contains(text), "{text}: {error}");
        }
    }
}

#[test]
fn a_readable_configuration_file_with_a_secret_is_refused() {
    for (text, mode, accepted) in [
        (
            format!("[database]\nurl = 'postgres://a:{CANARY}@localhost/b'"),
            0o644,
            false,
        ),
        (format!("[log]\npseudonym_key = '{DIGITS}'"), 0o644, false),
        (
            "[database]\nurl = 'postgres://a@localhost/b'".to_owned(),
            0o644,
            true,
        ),
        ("[log]\nlevel = 'warn'".to_owned(), 0o666, false),
    ] {
        let file = TempFile::new(&text, mode);
        let loaded = load_from(&file.0, &[], Flags::default());
        assert_eq!(loaded.is_ok(), accepted, "{text} {loaded:?}");
        if let Err(error) = loaded {
            assert!(
                error.contains("has mode") && error.contains(&file.path()),
                "{error}"
            );
        }
    }
}

/// A password in the place of each value and each section, in variables and in files.
#[test]
fn no_error_shows_the_value_of_a_key() {
    let secret = format!("postgres://ann:{CANARY}@db/mail");
    let sections = [
        "database", "user", "user.tls", "log", "policy", "quotas", "limits",
    ];
    let sections = sections.map(str::to_owned);
    let issuer = "issuer".to_owned();
    for key in keys::all_keys().into_iter().chain(sections).chain([issuer]) {
        let name = format!("POSTROOM_{}", key.replace('.', "__").to_uppercase());
        for value in [
            secret.as_str(),
            &format!("['{secret}']"),
            &format!("{{a = '{secret}'}}"),
        ] {
            if let Err(error) = load("", &[(&name, value)], Flags::default()) {
                assert!(!error.contains(CANARY), "{key}: {error}");
                let section = key.split('.').next().unwrap_or_default();
                assert!(error.contains(section), "{key}: {error}");
            }
        }
        let file = format!("{key} = \"{secret}\"");
        if let Err(error) = load(&file, &[], Flags::default()) {
            assert!(!error.contains(CANARY), "{key}: {error}");
        }
        let open = format!("{key} = \"{secret}");
        let error = load(&open, &[], Flags::default()).expect_err("a syntax error");
        assert!(
            !error.contains(CANARY) && error.contains("line 1"),
            "{key}: {error}"
        );
    }
}

#[test]
fn a_value_of_another_type_is_reported_with_the_expected_one() {
    for (key, value, told) in [
        (
            "database",
            "postgres://u:p@db/x",
            "database: is a section of keys",
        ),
        (
            "database.notify",
            "yes",
            "database.notify: must be a boolean",
        ),
        ("lanes.count", "two", "lanes.count: must be i64"),
        ("log.format", "xml", "log.format: must be one of text, json"),
        ("issuer", "[{iss = 'me'}]", "issuer.0.jwks: is missing"),
    ] {
        let name = format!("POSTROOM_{}", key.replace('.', "__").to_uppercase());
        let error = load("", &[(&name, value)], Flags::default()).expect_err(key);
        assert!(error.contains(told) && error.contains(&name), "{error}");
    }
}
