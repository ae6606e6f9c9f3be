//! Defaults, then the file, then variables, then flags: what comes later wins.

use std::fs::File;
use std::io;
use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Toml};

use super::{Config, DatabaseUrl, Error, Flags, Problem, check, environment};

/// What the configuration is made from.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// The default of `database.url`, if not the usual one.
    pub database: Option<DatabaseUrl>,
    /// The one file.
    pub file: Option<&'a Path>,
    /// The process' variables.
    pub variables: Vec<(String, String)>,
    /// What the command line says.
    pub flags: Flags,
}

impl Sources<'_> {
    /// One configuration from all sources, each value within its bounds.
    ///
    /// # Errors
    /// Naming key and source, if a key is not known, a value is none, or values do not go
    /// together.
    pub fn load(self) -> Result<Config, Error> {
        let mut figment = Figment::new();
        if let Some(path) = self.file {
            // figment would take a file that is not there for an empty one.
            File::open(path).map_err(|error| unreadable(path, &error))?;
            figment = figment.merge(Toml::file_exact(path));
        }
        let variables = environment::settings(self.variables)?;
        for setting in variables.into_iter().chain(self.flags.into_settings()) {
            figment = figment.merge(setting);
        }
        let says_database = figment.contains("database.url");
        let mut config: Config = figment.extract()?;
        if let Some(url) = self.database.filter(|_| !says_database) {
            config.database.url = url;
        }
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
