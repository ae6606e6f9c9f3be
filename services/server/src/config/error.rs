//! Errors of the configuration, with key and source.

use std::fmt;

use figment::Source;
use figment::error::Kind;

/// All problems of a configuration. Values are shown only where they cannot be secret.
#[derive(Debug)]
pub struct Error(Vec<Problem>);

/// A problem of a key, a flag or a file.
#[derive(Debug)]
pub struct Problem {
    /// Key, such as `sys.address`, or flag or file.
    pub key: String,
    /// Description of the problem.
    pub what: String,
    /// File, variable or flag that has the value; `None` if there is no single one.
    pub source: Option<String>,
}

impl Problem {
    /// Problem without a single source.
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            source: None,
        }
    }
}

impl Error {
    /// Returns the problems as an error, if there are any.
    ///
    /// # Errors
    /// The problems.
    pub fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self(problems))
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<figment::Error> for Error {
    fn from(errors: figment::Error) -> Self {
        Self(errors.into_iter().map(Problem::from).collect())
    }
}

impl From<figment::Error> for Problem {
    fn from(error: figment::Error) -> Self {
        let what = match &error.kind {
            Kind::UnknownField(_, known) => {
                format!("unknown key; known keys are {}", known.join(", "))
            }
            kind => kind.to_string(),
        };
        let source = error.metadata.map(|metadata| match metadata.source {
            Some(Source::File(path)) => path.display().to_string(),
            _ => metadata.name.into_owned(),
        });
        Self {
            key: error.path.join("."),
            what,
            source,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        match &self.source {
            Some(source) => write!(f, " (in {source})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid configuration")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Error {}
