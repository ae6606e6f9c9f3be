//! Sources of the configuration: defaults, file, variables, flags. Later ones override earlier
//! ones.

use std::fs::File;
use std::io;
use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Toml};

use super::{Config, Error, Flags, Problem, check, environment};

/// Sources of the configuration beside its defaults.
#[derive(Debug, Default)]
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
        let mut figment = Figment::new();
        for setting in self.defaults.into_settings() {
            figment = figment.merge(setting);
        }
        if let Some(path) = self.file {
            // figment treats a missing file as an empty one.
            File::open(path).map_err(|error| unreadable(path, &error))?;
            figment = figment.merge(Toml::file_exact(path));
        }
        let variables = environment::settings(self.variables)?;
        for setting in variables.into_iter().chain(self.flags.into_settings()) {
            figment = figment.merge(setting);
        }
        let config: Config = figment.extract()?;
        check::check(&config)?;
        Ok(config)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        path.display().to_string(),
        format!("cannot be read: {error}"),
    )
}
