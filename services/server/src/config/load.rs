//! Sources of the configuration: defaults, file, variables, flags. Later ones override earlier
//! ones.

use std::fs;
use std::path::Path;

use serde::Deserialize as _;

use super::setting::section;
use super::value::SourcedValue;
use super::{Config, Error, Flags, Problem, check, environment, secrets};
use crate::protected_file;

/// Sources of the configuration beside its defaults.
#[derive(Default)]
pub struct Sources<'a> {
    /// Defaults instead of the built-in ones.
    pub defaults: Flags,
    /// Configuration file.
    pub file: Option<&'a Path>,
    /// Environment variables of the process.
    pub variables: Vec<(String, String)>,
    /// Flags of the command line.
    pub flags: Flags,
}

impl Sources<'_> {
    /// Merges all sources and checks the result.
    ///
    /// # Errors
    /// All unknown keys, invalid values and inconsistencies, with key and source.
    pub fn load(self) -> Result<Config, Error> {
        let mut merged = section(self.defaults.into_settings());
        if let Some(path) = self.file {
            secrets::merge(&mut merged, read(path)?)?;
        }
        let variables = section(environment::settings(self.variables)?);
        secrets::merge(&mut merged, variables)?;
        secrets::merge(&mut merged, section(self.flags.into_settings()))?;
        secrets::read_files(&mut merged)?;
        let config = Config::deserialize(&merged)?;
        check::check(&config)?;
        Ok(config)
    }
}

/// Reads a configuration file.
fn read(path: &Path) -> Result<SourcedValue, Problem> {
    let source = path.display().to_string();
    let problem = |what: String| Problem::new(source.as_str(), what);
    let text =
        fs::read_to_string(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| problem(syntax_error(&text, &error)))?;
    let settings = SourcedValue::toml(&source.as_str().into(), toml::Value::Table(table));
    let checked = if secrets::contains_secret(&settings) {
        protected_file::check_secret(path)
    } else {
        protected_file::check_trusted(path)
    };
    checked.map_err(|error| problem(error.to_string()))?;
    Ok(settings)
}

/// Line and description of a syntax error, without the text of the line, which may be secret.
fn syntax_error(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.unwrap_or_default().matches('\n').count() + 1;
    format!("line {line}: {}", error.message())
}
