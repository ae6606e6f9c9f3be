//! Protection of the way to a server.

use std::net::IpAddr;
use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::db::open_error::OpenError;
use crate::options::DatabaseLink;

/// Protection of the connections that a url leads to. Variables of libpq count, too.
///
/// # Errors
/// [`OpenError::Url`].
pub fn link(url: &str) -> Result<DatabaseLink, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(OpenError::Url)?;
    Ok(if is_local(&options) {
        DatabaseLink::Local
    } else if matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        DatabaseLink::Verified
    } else {
        DatabaseLink::Unverified
    })
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_verified_server_or_one_on_this_machine_is_protected() {
        for (url, expected) in [
            ("postgres://ann@127.0.0.1/mail", DatabaseLink::Local),
            ("postgres://ann@[::1]:5433/mail", DatabaseLink::Local),
            (
                "postgres://localhost/mail?sslmode=disable",
                DatabaseLink::Local,
            ),
            ("postgres:///mail?host=/run/postgresql", DatabaseLink::Local),
            ("postgres://%2Frun%2Fpostgresql/mail", DatabaseLink::Local),
            (
                "postgres://db/mail?sslmode=verify-full",
                DatabaseLink::Verified,
            ),
            (
                "postgres://db/mail?sslmode=verify-ca",
                DatabaseLink::Unverified,
            ),
            (
                "postgres://db/mail?sslmode=require",
                DatabaseLink::Unverified,
            ),
            ("postgres://db/mail", DatabaseLink::Unverified),
            (
                "postgres://localhost/mail?host=db",
                DatabaseLink::Unverified,
            ),
            (
                "postgres://localhost/mail?hostaddr=10.0.0.1",
                DatabaseLink::Unverified,
            ),
            (
                "postgres://localhost.example/mail",
                DatabaseLink::Unverified,
            ),
            ("postgres://127.0.0.1@db/mail", DatabaseLink::Unverified),
        ] {
            assert_eq!(link(url).expect(url), expected, "{url}");
        }
    }
}
