//! Configuration from variables: `POSTROOM_DATABASE__URL` is the key `database.url`.
//!
//! A variable with a double underscore is meant for us, and refused if there is no such
//! key. One without is passed over, since others make them too (Kubernetes sets
//! `POSTROOM_PORT` for a service of our name), unless it is a key all but for an underscore.

use figment::value::Value;

use super::error::Problem;
use super::schema;
use super::setting::Setting;

const PREFIX: &str = "POSTROOM_";
const NESTING: &str = "__";

/// The settings among the variables.
///
/// # Errors
/// If one looks like a key that was misspelt.
pub fn settings(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Setting>, Problem> {
    let ours = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase(), name, value)));
    let mut settings = Vec::new();
    for (path, name, value) in ours {
        if path.contains(NESTING) || schema::is_key(&path) {
            let key = path.replace(NESTING, ".");
            settings.push(Setting {
                source: name,
                key,
                value: read(&value),
            });
        } else if let Some(meant) = nearly(&path) {
            return Err(Problem::new(name, format!("did you mean {meant}?")));
        }
    }
    Ok(settings)
}

/// Numbers, booleans and lists as what they are, all else as text.
fn read(value: &str) -> Value {
    value.parse().unwrap_or_else(|never| match never {})
}

/// The variable that was meant by one that lacks an underscore.
fn nearly(path: &str) -> Option<String> {
    let (section, name) = path.split_once('_')?;
    schema::is_key(&format!("{section}.{name}"))
        .then(|| format!("{PREFIX}{section}{NESTING}{name}").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(variables: &[&str]) -> Result<Vec<String>, String> {
        let pairs = variables
            .iter()
            .map(|name| ((*name).to_owned(), "1".to_owned()));
        match settings(pairs) {
            Ok(settings) => Ok(settings.into_iter().map(|setting| setting.key).collect()),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn a_double_underscore_leads_into_a_section() {
        assert_eq!(
            keys_of(&["POSTROOM_USER__TLS__KEY", "POSTROOM_ISSUER"]),
            Ok(vec!["user.tls.key".to_owned(), "issuer".to_owned()])
        );
    }

    #[test]
    fn what_others_set_is_passed_over() {
        let foreign = [
            "HOME",
            "POSTROOM_PORT",
            "POSTROOM_SYS_PORT_7601_TCP",
            "POSTROOM_TOKEN",
        ];
        assert_eq!(keys_of(&foreign), Ok(vec![]));
    }

    #[test]
    fn a_missing_underscore_is_pointed_out() {
        let error = keys_of(&["POSTROOM_DATABASE_URL"]).expect_err("refused");
        assert_eq!(
            error,
            "POSTROOM_DATABASE_URL: did you mean POSTROOM_DATABASE__URL?"
        );
    }
}
