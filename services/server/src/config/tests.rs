mod protection;
mod secret_files;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

const DEFAULT_FILE: &str = include_str!("../../postroom.toml");

fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
    let folder = std::env::temp_dir().join(format!("postroom-config-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.join("postroom.toml");
    std::fs::write(&path, file).expect("a file");
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    let loaded = load_from(&path, variables, flags);
    std::fs::remove_dir_all(&folder).expect("an end");
    loaded
}

fn load_from(path: &Path, variables: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let sources = Sources {
        file: Some(path),
        variables: variables.collect(),
        flags,
        defaults: Flags::default(),
    };
    sources.load().map_err(|error| error.to_string())
}

/// The default file with its commented-out keys uncommented.
fn with_examples() -> String {
    let is_key = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let uncommented = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("[[") => rest.to_owned(),
        Some(rest) if rest.split_once(" = ").is_some_and(|(name, _)| is_key(name)) => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    DEFAULT_FILE
        .lines()
        .map(uncommented)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_default_file_equals_the_defaults() {
    let config = load(DEFAULT_FILE, &[], Flags::default()).expect("the default file");
    assert_eq!(config, Config::default());
}

#[test]
fn the_default_file_contains_every_key() {
    let contained: toml_keys::TomlKeys = toml_keys::of(&with_examples());
    for key in keys::all_keys() {
        assert!(contained.contains(&key), "{key} is missing");
    }
}

#[test]
fn the_examples_of_the_default_file_are_valid() {
    let examples = with_examples();
    // A secret is in a key or in a file.
    let lines = examples.lines().filter(|line| !line.contains("_file = "));
    let file = lines.collect::<Vec<_>>().join("\n");
    let config = load(&file, &[], Flags::default()).expect("the examples");
    assert_eq!(config.issuer.len(), 12);
    assert!(config.traces.otlp_endpoint.is_some());
    assert!(config.sys.tls.client_ca.is_some());
}

#[test]
fn the_default_lanes_equal_those_of_the_store() {
    assert_eq!(
        LanesConfig::default().to_store(),
        storage_sql::LaneOptions::default()
    );
}

#[test]
fn a_flag_overrides_a_variable_and_a_variable_overrides_the_file() {
    let file = "[database]\nurl = 'sqlite:file'\nread_connections = 2\n[log]\nlevel = 'warn'";
    let variables = [
        ("POSTROOM_DATABASE__URL", "sqlite:variable"),
        ("POSTROOM_LOG__LEVEL", "debug"),
    ];
    let flags = Flags::default().with("--log-level", "log.level", Some("error"));

    let config = load(file, &variables, flags).expect("a configuration");

    assert_eq!(config.database.read_connections.get(), 2);
    assert_eq!(config.database.url.expose(), "sqlite:variable");
    assert_eq!(String::from(config.log.level), "error");
    assert_eq!(
        config.database.write_connections,
        DatabaseConfig::default().write_connections
    );
}

#[test]
fn an_unknown_key_is_reported_with_its_source() {
    let error = load("[user]\nadress = '127.0.0.1:1'", &[], Flags::default()).expect_err("refused");
    assert!(
        error.contains("user.adress: unknown key; known keys are enabled, address, tls"),
        "{error}"
    );
    assert!(error.contains("postroom.toml"), "{error}");

    let error = load("", &[("POSTROOM_USR__ADDRESS", "x")], Flags::default()).expect_err("refused");
    assert!(error.contains("usr: unknown key"), "{error}");
    assert!(error.contains("POSTROOM_USR__ADDRESS"), "{error}");
}

#[test]
fn an_invalid_value_is_reported_with_its_source() {
    for (key, value) in [
        ("limits.user_request_bytes", "1048577"),
        ("limits.sys_request_bytes", "8388609"),
        ("limits.streams_per_connection", "1001"),
        ("limits.connections_per_address", "1000001"),
        ("limits.calls_per_app", "0"),
        ("limits.calls_per_profile", "0"),
        ("limits.answers_mib", "15"),
        ("database.clock_skew_seconds", "61"),
        ("drain.delay_seconds", "301"),
        ("drain.calls_seconds", "301"),
        ("policy.max_recipients", "501"),
        ("policy.max_content_bytes", "65537"),
        ("policy.max_box_messages", "0"),
        ("policy.default_expiry", "11y"),
        ("policy.max_expiry", "0s"),
        ("policy.keep_for_moderation", "366d"),
        ("policy.keep_for_moderation", "-1s"),
        ("policy.app_reserve_percent", "91"),
        ("policy.max_unread_per_sender", "10001"),
        ("policy.max_participants", "501"),
        ("policy.max.max_recipients", "501"),
        ("policy.max.max_unread_per_sender", "0"),
        ("quotas.max.profile_calls_per_second", "0"),
        ("quotas.max.app_calls_burst", "0"),
        ("quotas.profile_kept_mib", "1000001"),
        ("quotas.profile_unused_mailboxes", "10001"),
        ("quotas.app_kept_mib", "1000000001"),
        ("quotas.app_mailboxes", "1000000001"),
        ("quotas.max.app_kept_mib", "0"),
        ("quotas.profile_calls_per_second", "1000001"),
        ("quotas.profile_calls_burst", "0"),
        ("quotas.profile_sends_per_second", "-1"),
        ("quotas.profile_sends_burst", "1000001"),
        ("quotas.app_sends_per_second", "many"),
        ("quotas.app_sends_burst", "0"),
        ("database.write_connections", "-1"),
        ("lanes.count", "65"),
        ("lanes.batch_operations", "257"),
        ("log.level", "rpc=loud"),
        ("log.format", "xml"),
        ("log.pseudonym_key", "canary"),
        ("user.address", "localhost"),
        ("traces.otlp_endpoint", "collector"),
        ("database.url", "mysql://db"),
    ] {
        let name = format!("POSTROOM_{}", key.replace('.', "__").to_uppercase());
        let error = load("", &[(&name, value)], Flags::default()).expect_err(key);
        assert!(error.contains(key) && error.contains(&name), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn sys_beyond_loopback_requires_tls_or_insecure() {
    let open = "[sys]\naddress = '0.0.0.0:7601'\n";
    let error = load(open, &[], Flags::default()).expect_err("refused");
    assert!(
        error.contains("sys.address") && error.contains("sys.insecure"),
        "{error}"
    );

    for line in [
        "insecure = true",
        "tls = { certificate = 'a', key = 'b' }",
        "enabled = false",
    ] {
        let file = format!("{open}{line}");
        assert!(load(&file, &[], Flags::default()).is_ok(), "{line}");
    }
}

#[test]
fn an_inconsistent_configuration_reports_all_problems_at_once() {
    let file = "
        [user]
        enabled = false
        tls = { key = 'k' }
        [sys]
        enabled = false
        [[issuer]]
        iss = ''
        jwks = 'keys.json'
        apps = '*'
        kinds = []
    ";
    let error = load(file, &[], Flags::default()).expect_err("refused");
    for key in ["user.tls", "user.enabled", "issuer.0.iss", "issuer.0.kinds"] {
        assert!(error.contains(key), "{key}: {error}");
    }
}

#[test]
fn an_invalid_issuer_is_refused() {
    for (line, told) in [
        ("apps = 'chess'", "issuer.0.apps"),
        ("apps = []", "issuer.0.apps"),
        ("apps = ['a b']", "\"a b\""),
        ("app = 'chess'\napps = '*'", "issuer.0.apps"),
        ("", "issuer.0.apps"),
        ("app = 'a b'", "issuer.0.app"),
        ("app = { claims = 'tid' }", "issuer.0.app"),
        ("apps = '*'\naudience = []", "issuer.0.audience"),
        ("apps = '*'\nsubject_claim = ''", "issuer.0.subject_claim"),
        ("apps = '*'\nscopes = ['sys.all']", "issuer.0.scopes"),
        (
            "apps = '*'\nmax_token_life = '0s'",
            "issuer.0.max_token_life",
        ),
        ("apps = '*'\nkeys_stale = '0s'", "issuer.0.keys_stale"),
        (
            "apps = '*'\nmax_token_life = '9601h'",
            "issuer.0.max_token_life",
        ),
        (
            "apps = '*'\nmax_token_life = 'long'",
            "issuer.0.max_token_life",
        ),
        ("apps = '*'\nkey = 1", "issuer.0.key"),
    ] {
        let file = format!("[[issuer]]\niss = 'me'\njwks = 'keys.json'\nkinds = ['user']\n{line}");
        let error = load(&file, &[], Flags::default()).expect_err(line);
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn an_audience_of_an_issuer_is_for_one_kind() {
    let file = "[[issuer]]\niss = 'me'\njwks = 'keys.json'\naudience = 'us'\napp = 'chess'\n";
    for (kinds, is_valid) in [("'user'", true), ("'user', 'sys'", false)] {
        let loaded = load(&format!("{file}kinds = [{kinds}]"), &[], Flags::default());
        let told = loaded.map_err(|error| error.contains("issuer.0.audience"));
        assert_eq!(told.map(|_| ()), if is_valid { Ok(()) } else { Err(true) });
    }
}

#[test]
fn a_missing_file_is_refused() {
    let error = load_from(Path::new("/nowhere/postroom.toml"), &[], Flags::default());
    assert!(
        error
            .expect_err("refused")
            .contains("/nowhere/postroom.toml")
    );
}

/// Keys of a TOML text.
mod toml_keys {
    use std::collections::BTreeSet;

    use toml::{Table, Value};

    pub type TomlKeys = BTreeSet<String>;

    pub fn of(text: &str) -> TomlKeys {
        let mut keys = TomlKeys::new();
        collect("", &text.parse().expect("TOML"), &mut keys);
        keys
    }

    fn collect(section: &str, table: &Table, keys: &mut TomlKeys) {
        for (name, value) in table {
            let key = super::keys::join(section, name);
            match value {
                Value::Table(table) => collect(&key, table, keys),
                _ => drop(keys.insert(key)),
            }
        }
    }
}
