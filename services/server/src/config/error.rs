//! What is wrong with a configuration, said so that it can be mended.

use std::fmt;

use figment::Source;
use figment::error::Kind;

/// Everything that was found wrong. Values are shown only where they cannot be secret.
#[derive(Debug)]
pub struct Error(Vec<Problem>);

/// One thing that is wrong.
#[derive(Debug)]
pub struct Problem {
    /// The key, as `sys.address`, or the flag or file it is about.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// Where it says so; none: in no single place.
    pub source: Option<String>,
}

impl Problem {
    /// A problem that is not of one source alone.
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            source: None,
        }
    }
}

impl Error {
    /// Nothing is wrong unless there is a problem.
    ///
    /// # Errors
    /// With the problems, if there are any.
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
            Kind::UnknownField(_, known) => format!("unknown key; known are {}", known.join(", ")),
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
        write!(f, "the configuration is not usable")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Error {}
