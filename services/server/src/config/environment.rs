//! Configuration from environment variables: `POSTROOM_DATABASE__URL` is the key `database.url`.
//!
//! A variable with a double underscore is refused if there is no such key. A variable without one
//! is ignored, because other programs set them too (Kubernetes sets `POSTROOM_PORT` for a service
//! of that name), unless it is a key that lacks only an underscore.

use super::error::Problem;
use super::keys;
use super::setting::Setting;

const PREFIX: &str = "POSTROOM_";
const NESTING: &str = "__";

/// Settings of the variables that are keys.
///
/// # Errors
/// If a variable looks like a misspelt key.
pub fn settings(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Setting>, Problem> {
    let ours = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase(), name, value)));
    let mut settings = Vec::new();
    for (path, name, value) in ours {
        if path.contains(NESTING) || keys::is_key(&path) {
            let key = path.replace(NESTING, ".");
            settings.push(Setting {
                source: name,
                key,
                text: value,
            });
        } else if let Some(meant) = similar(&path) {
            return Err(Problem::new(name, format!("did you mean {meant}?")));
        }
    }
    Ok(settings)
}

/// Variable of the key that `path` would be with another underscore.
fn similar(path: &str) -> Option<String> {
    let (section, name) = path.split_once('_')?;
    keys::is_key(&format!("{section}.{name}"))
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
    fn a_double_underscore_separates_section_and_key() {
        assert_eq!(
            keys_of(&["POSTROOM_USER__TLS__KEY", "POSTROOM_ISSUER"]),
            Ok(vec!["user.tls.key".to_owned(), "issuer".to_owned()])
        );
    }

    #[test]
    fn a_variable_of_another_program_is_ignored() {
        let foreign = [
            "HOME",
            "POSTROOM_PORT",
            "POSTROOM_SYS_PORT_7601_TCP",
            "POSTROOM_TOKEN",
        ];
        assert_eq!(keys_of(&foreign), Ok(vec![]));
    }

    #[test]
    fn a_missing_underscore_yields_a_hint() {
        let error = keys_of(&["POSTROOM_DATABASE_URL"]).expect_err("refused");
        assert_eq!(
            error,
            "POSTROOM_DATABASE_URL: did you mean POSTROOM_DATABASE__URL?"
        );
    }
}
