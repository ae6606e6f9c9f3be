//! Secrets from files: the key `log.pseudonym_key_file` has the path of a file that contains the
//! value of `log.pseudonym_key`.

use std::path::Path;

use super::value::SourcedValue;
use super::{DatabaseUrl, Problem};
use crate::protected_file;

/// Keys of secrets. Each has another key, with the path of a file that contains the secret.
pub const SECRETS: [&str; 5] = [
    "database.url",
    "database.notify_url",
    "log.pseudonym_key",
    "audit.key",
    "audit.previous_key",
];

/// Key with the path of the file of a secret.
pub fn file_key(key: &str) -> String {
    format!("{key}_file")
}

/// Merges later settings into earlier ones. A later secret overrides an earlier one, in a file or
/// not.
///
/// # Errors
/// If the later settings have a secret, and the path of its file.
pub fn merge(earlier: &mut SourcedValue, later: SourcedValue) -> Result<(), Problem> {
    for key in SECRETS {
        let file_key = file_key(key);
        match (later.get(key), later.get(&file_key)) {
            (Some(_), Some(path)) => {
                let what = format!("{key} is set as well; one of them is enough");
                return Err(Problem::new(file_key, what).in_source(path.source()));
            }
            (Some(_), None) => earlier.remove(&file_key),
            (None, Some(_)) => earlier.remove(key),
            (None, None) => {}
        }
    }
    earlier.merge(later);
    Ok(())
}

/// Reads the secrets that are in files.
///
/// # Errors
/// If a file cannot be read, or others may access it.
pub fn read_files(settings: &mut SourcedValue) -> Result<(), Problem> {
    for key in SECRETS {
        let file_key = file_key(key);
        let Some(value) = settings.get(&file_key) else {
            continue;
        };
        let Some(path) = value.as_text().map(str::to_owned) else {
            continue;
        };
        let problem = |what: String| Problem::new(file_key, what).in_source(value.source());
        // The secret itself, by mistake.
        if path.contains("://") {
            return Err(problem("must be the path of a file".to_owned()));
        }
        let secret = protected_file::read_secret(Path::new(&path))
            .map_err(|error| problem(format!("{path}: {error}")))?;
        settings.set(key, SourcedValue::verbatim(&path, secret));
    }
    Ok(())
}

/// Returns whether the settings contain a secret, other than the path of its file.
pub fn contains_secret(settings: &SourcedValue) -> bool {
    let texts = SECRETS
        .iter()
        .filter_map(|key| settings.get(key)?.as_text());
    texts.into_iter().any(|text| {
        let url = DatabaseUrl::try_from(text.to_owned());
        url.map_or(true, |url| url.has_password())
    })
}
