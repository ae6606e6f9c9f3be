//! Checks of values against each other.

use auth::{AppSource, Issuer};
use domain::limits::TOKEN_LIFE_CAP_MS;
use storage_sql::DatabaseLink;

use super::{AuditConfig, Config, DatabaseConfig, Error, Problem, SysConfig, TlsPaths};

const UNVERIFIED: &str = "is beyond this machine, and its certificate would not be verified: add \
    ?sslmode=verify-full (and &sslrootcert=FILE for a CA of your own) to the URL, or set \
    database.insecure = true on a network that is trusted";

/// Checks that the values are consistent.
///
/// # Errors
/// All inconsistencies.
pub fn check(config: &Config) -> Result<(), Error> {
    let mut problems = Vec::new();
    check_database(&config.database, &mut problems);
    check_tls("user.tls", &config.user.tls, &mut problems);
    check_tls("sys.tls", &config.sys.tls, &mut problems);
    check_sys(&config.sys, &mut problems);
    check_audit(&config.audit, &mut problems);
    if !config.user.enabled && !config.sys.enabled {
        problems.push(Problem::new(
            "user.enabled, sys.enabled",
            "at least one must be true",
        ));
    }
    for (index, issuer) in config.issuer.iter().enumerate() {
        check_issuer(&format!("issuer.{index}"), issuer, &mut problems);
    }
    Error::unless_empty(problems)
}

fn check_database(database: &DatabaseConfig, problems: &mut Vec<Problem>) {
    let urls = [
        ("database.url", Some(&database.url)),
        ("database.notify_url", database.notify_url.as_ref()),
    ];
    for (key, url) in urls.into_iter().filter_map(|(key, url)| Some((key, url?))) {
        match storage_sql::database_link(url.expose()) {
            Ok(DatabaseLink::Unverified) if !database.insecure => {
                problems.push(Problem::new(key, format!("{url} {UNVERIFIED}")));
            }
            Ok(_) => {}
            Err(error) => problems.push(Problem::new(key, error.to_string())),
        }
    }
}

fn check_issuer(section: &str, issuer: &Issuer, problems: &mut Vec<Problem>) {
    let mut refuse = |key: &str, what: &str| {
        problems.push(Problem::new(format!("{section}.{key}"), what));
    };
    if issuer.iss.is_empty() {
        refuse("iss", "must not be empty");
    }
    if issuer.jwks.is_insecure() {
        refuse(
            "jwks",
            "plain http is allowed on loopback only: on a network, keys could be replaced",
        );
    }
    if issuer.kinds.is_empty() {
        refuse("kinds", "must name user, sys, or both");
    }
    if !issuer.max_token_life.is_positive() {
        refuse("max_token_life", "must be longer than nothing");
    }
    if !issuer.keys_stale.is_positive() {
        refuse("keys_stale", "must be longer than nothing");
    }
    if issuer.max_token_life.as_millis() > i128::from(TOKEN_LIFE_CAP_MS) {
        refuse("max_token_life", "must be at most 9600h, 400 days");
    }
    if issuer.audience.is_some() && issuer.kinds.len() != 1 {
        refuse(
            "audience",
            "is for one kind; the other kind of the same issuer is another [[issuer]]",
        );
    }
    match (&issuer.app, &issuer.apps) {
        (AppSource::Fixed(_), Some(_)) => refuse("apps", "is of no use where the app is fixed"),
        (AppSource::Claim(_), None) => refuse("apps", "must be \"*\" or a list of app ids"),
        (AppSource::Fixed(_), None) | (AppSource::Claim(_), Some(_)) => {}
    }
}

fn check_tls(section: &str, tls: &TlsPaths, problems: &mut Vec<Problem>) {
    let complete = tls.certificate.is_some() && tls.key.is_some();
    if !complete && !tls.is_plaintext() {
        problems.push(Problem::new(section, "TLS needs both certificate and key"));
    }
    if tls.client_crl.is_some() && tls.client_ca.is_none() {
        let key = format!("{section}.client_crl");
        problems.push(Problem::new(key, format!("needs {section}.client_ca")));
    }
}

fn check_sys(sys: &SysConfig, problems: &mut Vec<Problem>) {
    let exposed = sys.enabled && !sys.address.ip().is_loopback();
    if exposed && sys.tls.is_plaintext() && !sys.insecure {
        let what = format!(
            "{} is not loopback: set sys.tls, or sys.insecure = true",
            sys.address
        );
        problems.push(Problem::new("sys.address", what));
    }
    if !sys.client.is_empty() && sys.tls.client_ca.is_none() {
        problems.push(Problem::new("sys.client", "needs sys.tls.client_ca"));
    }
}

fn check_audit(audit: &AuditConfig, problems: &mut Vec<Problem>) {
    let what = match &audit.previous_key {
        Some(_) if audit.key.is_none() => "needs audit.key, which replaces it",
        Some(previous) if audit.key.as_ref() == Some(previous) => {
            "is the same as audit.key: it must be the key before it"
        }
        Some(_) | None => return,
    };
    problems.push(Problem::new("audit.previous_key", what));
}
