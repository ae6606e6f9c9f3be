//! Configuration of `serve --dev`.

use auth::{AllowedApps, CallerKind, Issuer, Jwks};

use super::{DataDir, DevKey, ISSUER};
use crate::config::{Config, Error, Problem};

/// Creates the key if it does not exist, and adds its issuer to the configuration.
///
/// # Errors
/// If a listener is not on loopback, because anyone with the printed tokens could call it, or the
/// key's files are not usable.
pub fn set_up(data: &DataDir, config: &mut Config) -> Result<DevKey, Error> {
    require_loopback(config)?;
    let key = DevKey::create(data)?;
    config.issuer.push(Issuer {
        iss: ISSUER.to_owned(),
        jwks: Jwks::File(DevKey::jwks(data)),
        apps: AllowedApps::All,
        kinds: vec![CallerKind::User, CallerKind::Sys],
    });
    Ok(key)
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
}
