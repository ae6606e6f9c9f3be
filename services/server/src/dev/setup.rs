//! Configuration of `serve --dev`.

use auth::{Issuer, Jwks};

use domain::limits::EXPIRY_MAX_MS;
use jiff::SignedDuration;

use super::{DataDir, DevKey, ISSUER};
use crate::config::{Config, Error, Problem};

/// Longest life of a development token in seconds: what `postroom token --ttl` takes.
const TOKEN_LIFE_SECONDS: i64 = EXPIRY_MAX_MS / 1000;

/// Creates the key if it does not exist, and adds its issuer to the configuration.
///
/// # Errors
/// If there are other issuers, a listener is not on loopback, because anyone with the printed tokens
/// could call it, or the key's files are not usable.
pub fn set_up(data: &DataDir, config: &mut Config) -> Result<DevKey, Error> {
    require_loopback(config)?;
    if !config.issuer.is_empty() {
        let what = "--dev has an issuer of its own, and is not for configurations with issuers";
        return Err(Problem::new("issuer", what).into());
    }
    let key = DevKey::create(data)?;
    config.issuer.push(issuer(data));
    Ok(key)
}

/// Returns the issuer of a data directory.
pub fn issuer(data: &DataDir) -> Issuer {
    let jwks = Jwks::File(DevKey::jwks(data));
    Issuer {
        max_token_life: SignedDuration::from_secs(TOKEN_LIFE_SECONDS),
        ..Issuer::of_all_apps(ISSUER, jwks)
    }
}

/// Checks that the database is that of the data directory: the tokens of `--dev` open all of it.
///
/// # Errors
/// If it is another one.
pub fn require_own_database(data: &DataDir, config: &Config) -> Result<(), Problem> {
    let own = data.database_url();
    if config.database.url == own {
        return Ok(());
    }
    let what = format!(
        "{} is not {own}, and --dev works on the database of its data directory only",
        config.database.url
    );
    Err(Problem::new("database.url", what))
}

fn require_loopback(config: &Config) -> Result<(), Error> {
    let mut problems = Vec::new();
    for (key, address) in [
        ("user.address", Some(config.user.address)),
        ("sys.address", Some(config.sys.address)),
        ("operations.address", Some(config.operations.address)),
        (
            "operations.probes_address",
            config.operations.probes_address,
        ),
    ] {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            let what = format!("{address} is not loopback, and --dev listens on loopback only");
            problems.push(Problem::new(key, what));
        }
    }
    for (key, tls) in [("user.tls", &config.user.tls), ("sys.tls", &config.sys.tls)] {
        if !tls.is_plaintext() {
            problems.push(Problem::new(key, "--dev does not support TLS"));
        }
    }
    Error::unless_empty(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Sources};

    #[test]
    fn a_listener_beyond_loopback_is_refused() {
        for key in [
            "user.address",
            "sys.address",
            "operations.address",
            "operations.probes_address",
        ] {
            let flags = Flags::default()
                .with("--address", key, Some("0.0.0.0:7600"))
                .with("--insecure", "sys.insecure", Some(true));
            let config = Sources {
                flags,
                ..Sources::default()
            }
            .load()
            .expect("a configuration");
            let error = require_loopback(&config).expect_err(key);
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(require_loopback(&Config::default()).is_ok());
    }

    #[test]
    fn a_database_elsewhere_and_other_issuers_are_refused() {
        let path = std::env::temp_dir().join(format!("postroom-dev-{}", uuid::Uuid::now_v7()));
        let data = DataDir::create(&path).expect("a directory");
        let loaded = |key, value: &str| {
            let flags = Flags::default().with("--flag", key, Some(value));
            let sources = Sources {
                flags,
                ..Sources::default()
            };
            sources.load().expect("a configuration")
        };
        let own = loaded("database.url", data.database_url().expose());
        require_own_database(&data, &own).expect("its own database");
        for url in ["sqlite:postroom.db", "postgres://localhost/mail"] {
            let error = require_own_database(&data, &loaded("database.url", url));
            assert!(error.expect_err(url).to_string().contains(url));
        }
        let issuer = "[{iss = 'me', jwks = 'keys.json', apps = '*', kinds = ['user']}]";
        let error = set_up(&data, &mut loaded("issuer", issuer)).err();
        assert!(error.expect("a refusal").to_string().contains("issuer"));
        std::fs::remove_dir_all(path).expect("an end");
    }
}
