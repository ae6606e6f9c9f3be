//! Keys of the configuration, derived from its types.

use serde::Deserialize as _;

use super::Config;
use super::value::SourcedValue;

/// Name that is not a key in any section.
const NO_KEY: &str = "?";

/// Keys of a section, `""` being the top level; `None` if there is no such section.
pub fn keys(section: &str) -> Option<&'static [&'static str]> {
    let mut probe = SourcedValue::empty("");
    let key = join(section, NO_KEY);
    probe.set(&key, SourcedValue::text("", ""));
    let problem = Config::deserialize(&probe).err()?;
    problem.known.filter(|_| problem.key == key)
}

/// Returns whether the key exists.
pub fn is_key(key: &str) -> bool {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    keys(section).is_some_and(|known| known.contains(&name))
}

pub(super) fn join(section: &str, name: &str) -> String {
    match (section, name) {
        ("", key) | (key, "") => key.to_owned(),
        _ => format!("{section}.{name}"),
    }
}

#[cfg(test)]
pub fn all_keys() -> Vec<String> {
    fn below(section: &str) -> Vec<String> {
        match keys(section) {
            None => vec![section.to_owned()],
            Some(names) => names
                .iter()
                .flat_map(|name| below(&join(section, name)))
                .collect(),
        }
    }
    below("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_at_every_depth() {
        for key in ["issuer", "database.url", "user.tls.client_ca", "log.level"] {
            assert!(is_key(key), "{key}");
            assert!(all_keys().iter().any(|known| known == key), "{key}");
        }
        for key in [
            "databases",
            "database.urls",
            "user.tls.ca",
            "log.level.more",
        ] {
            assert!(!is_key(key), "{key}");
        }
    }
}
