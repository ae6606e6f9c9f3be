//! Errors of the configuration, with key and source.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

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
    /// Keys of the section, if the key is not one of them.
    pub known: Option<&'static [&'static str]>,
}

impl Problem {
    /// Problem without a single source.
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            source: None,
            known: None,
        }
    }

    /// Adds the name of the section to the key.
    #[must_use]
    pub fn under(mut self, section: &str) -> Self {
        self.key = super::keys::join(section, &self.key);
        self
    }

    /// Adds the source, unless there is one.
    #[must_use]
    pub fn in_source(mut self, source: &str) -> Self {
        if self.source.is_none() && !source.is_empty() {
            self.source = Some(source.to_owned());
        }
        self
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

/// Types are named, values are not: a password may be in the place of a number.
impl de::Error for Problem {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new("", what.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("must be {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("must be one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self {
            known: Some(known),
            ..Self::custom(format_args!(
                "unknown key; known keys are {}",
                known.join(", ")
            ))
        }
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(name, "is missing")
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
impl std::error::Error for Problem {}
