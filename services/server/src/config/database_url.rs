//! URL of the database. It may contain a password, which is never shown.

use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// `sqlite:path` or `postgres://user:password@host/database`.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(SecretString);

/// Error for a text that is not a database URL. The text is not repeated: it may contain a
/// password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The scheme is of no database.
    #[error("must begin with sqlite: or postgres://")]
    Scheme,
    /// The URL leaves a choice among servers.
    #[error(
        "must name one host, without target_session_attrs: use a name or a proxy that leads to the \
         primary server"
    )]
    SeveralHosts,
}

impl DatabaseUrl {
    /// URL of an embedded database in that file.
    pub fn sqlite_file(path: &Path) -> Self {
        let path = path.display().to_string();
        let path = path.replace('%', "%25").replace('?', "%3F");
        Self(format!("sqlite:{path}").into())
    }

    /// Returns whether the database is a file.
    pub fn is_embedded(&self) -> bool {
        self.expose().starts_with("sqlite:")
    }

    /// Returns whether the URL contains a password, or what may be one.
    pub fn has_password(&self) -> bool {
        let Some((_, rest)) = self.expose().split_once("://") else {
            return false;
        };
        let credentials = rest
            .rsplit_once('@')
            .map_or("", |(credentials, _)| credentials);
        credentials.contains(':') || rest.contains("password=")
    }

    /// The URL with its password: for connecting only, never for output.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for DatabaseUrl {}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self("sqlite:postroom.db".into())
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;

    fn try_from(text: String) -> Result<Self, DatabaseUrlError> {
        if text.starts_with("sqlite:") {
            return Ok(Self(text.into()));
        }
        let schemes = ["postgres://", "postgresql://"];
        if !schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(DatabaseUrlError::Scheme);
        }
        if names_several_hosts(&text) {
            return Err(DatabaseUrlError::SeveralHosts);
        }
        Ok(Self(text.into()))
    }
}

/// Returns whether a URL of `PostgreSQL` has a list of hosts, or a condition that chooses among them:
/// libpq knows both, and sqlx neither.
fn names_several_hosts(url: &str) -> bool {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let place = place.rsplit_once("://").map_or(place, |(_, place)| place);
    let hosts = place.split('/').next().unwrap_or_default();
    let chooses = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name == "target_session_attrs" || (name == "host" && value.contains(','))
    };
    hosts.contains(',') || parameters.split('&').any(chooses)
}

/// Omits the password, and the parameters, which may contain one as well.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_parameters = |text: &str| text.split('?').next().map(str::to_owned);
        let Some((scheme, rest)) = self.expose().split_once("://") else {
            return f.write_str(&without_parameters(self.expose()).unwrap_or_default());
        };
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let place = without_parameters(place).unwrap_or_default();
        match credentials.and_then(|credentials| credentials.split([':', '?']).next()) {
            None => write!(f, "{scheme}://{place}"),
            Some(user) => write!(f, "{scheme}://{user}:…@{place}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        format!(
            "{:?}",
            DatabaseUrl::try_from(text.to_owned()).expect("a URL")
        )
    }

    #[test]
    fn a_displayed_url_contains_no_password() {
        for url in [
            "postgres://ann:canary@db:5432/mail",
            "postgres://ann:can@nary@db/mail",
            "postgres://ann:can/nary@db/mail",
            "postgres://ann:ca?nary@db/mail",
            "postgres://ann:ca@nary?nary@db/mail",
            "postgres://db/mail?user=ann&password=canary",
        ] {
            let shown = shown(url);
            assert!(!shown.contains("nary"), "{shown}");
            assert!(shown.contains("db"), "{shown}");
            assert!(
                DatabaseUrl::try_from(url.to_owned())
                    .expect("a URL")
                    .has_password()
            );
        }
    }

    #[test]
    fn a_displayed_sqlite_url_contains_its_file() {
        assert_eq!(shown("sqlite:postroom.db"), "sqlite:postroom.db");
        for url in [
            "sqlite:a@b:c.db",
            "postgres://ann@db/mail",
            "postgres:///mail?host=/run",
        ] {
            let url = DatabaseUrl::try_from(url.to_owned()).expect("a URL");
            assert!(!url.has_password(), "{url}");
        }
    }

    #[test]
    fn an_error_for_another_database_does_not_repeat_the_url() {
        let error = DatabaseUrl::try_from("mysql://ann:canary@db".to_owned()).expect_err("refused");
        assert!(!error.to_string().contains("canary"));
    }

    #[test]
    fn a_list_of_hosts_is_refused() {
        for url in [
            "postgres://h1,h2/mail",
            "postgres://ann:canary@h1:5432,h2:5432/mail",
            "postgresql://h1/mail?sslmode=require&target_session_attrs=read-write",
            "postgres:///mail?host=h1,h2",
        ] {
            let refused = DatabaseUrl::try_from(url.to_owned());
            assert_eq!(refused.expect_err(url), DatabaseUrlError::SeveralHosts);
        }
        for url in ["postgres://ann:a,b@h1/mail", "postgres://h1/a,b"] {
            assert!(DatabaseUrl::try_from(url.to_owned()).is_ok(), "{url}");
        }
    }
}
