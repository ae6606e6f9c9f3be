//! What `serve --dev` adds to a configuration.

use auth::{AllowedApps, CallerKind, Issuer, Jwks};

use super::{DataDir, DevKey, ISSUER};
use crate::config::{Config, Error, Problem};

/// Makes the key if there is none, and has its tokens accepted.
///
/// # Errors
/// If the service would be reached from elsewhere: anyone with the tokens that are printed
/// could call it. Or if the key's files are not usable.
pub fn set_up(data: &DataDir, config: &mut Config) -> Result<DevKey, Error> {
    refuse_strangers(config)?;
    let key = DevKey::create(data)?;
    config.issuer.push(Issuer {
        iss: ISSUER.to_owned(),
        jwks: Jwks::File(DevKey::jwks(data)),
        apps: AllowedApps::All,
        kinds: vec![CallerKind::User, CallerKind::Sys],
    });
    Ok(key)
}

fn refuse_strangers(config: &Config) -> Result<(), Error> {
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
            let what = format!("{address} is not loopback: --dev listens nowhere else");
            problems.push(Problem::new(key, what));
        }
    }
    for (key, tls) in [("user.tls", &config.user.tls), ("sys.tls", &config.sys.tls)] {
        if !tls.is_plaintext() {
            problems.push(Problem::new(key, "--dev speaks plaintext only"));
        }
    }
    Error::unless_empty(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Sources};

    #[test]
    fn only_loopback_will_do() {
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
            let error = refuse_strangers(&config).expect_err(key);
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(refuse_strangers(&Config::default()).is_ok());
    }
}
