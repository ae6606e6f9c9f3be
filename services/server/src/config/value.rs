//! Values of the configuration, each with the file, variable or flag that has it.

mod deserializer;

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

/// A value, a list, or a section of keys. It may be secret, so it has no `Debug`.
#[derive(Clone)]
pub struct SourcedValue {
    source: Arc<str>,
    data: Data,
}

/// Keys of a section, with their values.
type Section = BTreeMap<String, SourcedValue>;

#[derive(Clone)]
enum Data {
    /// Text of a variable or a flag, which the type of its key parses.
    Text(String),
    /// Value of TOML that is neither a table nor an array.
    Scalar(toml::Value),
    List(Vec<SourcedValue>),
    Section(Section),
}

impl SourcedValue {
    /// Section without keys.
    pub fn empty(source: &str) -> Self {
        Self {
            source: source.into(),
            data: Data::Section(Section::new()),
        }
    }

    /// Value that is parsed by the type of its key. An inline table is a section.
    pub fn text(source: &str, text: &str) -> Self {
        match parse(text) {
            Some(table @ toml::Value::Table(_)) => Self::toml(&source.into(), table),
            _ => Self {
                source: source.into(),
                data: Data::Text(text.to_owned()),
            },
        }
    }

    /// Text that is not parsed.
    pub fn verbatim(source: &str, text: String) -> Self {
        Self {
            source: source.into(),
            data: Data::Scalar(toml::Value::String(text)),
        }
    }

    /// Value of a TOML file.
    pub fn toml(source: &Arc<str>, value: toml::Value) -> Self {
        let inner = |value| Self::toml(source, value);
        let data = match value {
            toml::Value::Table(table) => {
                let values = table.into_iter().map(|(name, value)| (name, inner(value)));
                Data::Section(values.collect())
            }
            toml::Value::Array(values) => Data::List(values.into_iter().map(inner).collect()),
            scalar => Data::Scalar(scalar),
        };
        Self {
            source: source.clone(),
            data,
        }
    }

    /// File, variable or flag that has the value.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Text of the value, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Scalar(scalar) => scalar.as_str(),
            Data::List(_) | Data::Section(_) => None,
        }
    }

    /// Value of a key, such as `log.level`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        key.split('.').try_fold(self, |value, name| {
            let Data::Section(section) = &value.data else {
                return None;
            };
            section.get(name)
        })
    }

    /// Sets the value of a key. Values on the way that are no sections become sections.
    pub fn set(&mut self, key: &str, value: Self) {
        let (name, rest) = match key.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (key, None),
        };
        let mut section = match mem::replace(&mut self.data, Data::List(Vec::new())) {
            Data::Section(section) => section,
            Data::Text(_) | Data::Scalar(_) | Data::List(_) => Section::new(),
        };
        match rest {
            None => drop(section.insert(name.to_owned(), value)),
            Some(rest) => {
                let source = value.source.clone();
                let inner = section.entry(name.to_owned());
                let inner = inner.or_insert_with(|| Self::empty(&source));
                inner.set(rest, value);
            }
        }
        self.data = Data::Section(section);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        let (name, rest) = key.split_once('.').unwrap_or((key, ""));
        let Data::Section(section) = &mut self.data else {
            return;
        };
        if rest.is_empty() {
            section.remove(name);
        } else if let Some(inner) = section.get_mut(name) {
            inner.remove(rest);
        }
    }

    /// Merges another value into this one: sections key by key, anything else as a whole.
    pub fn merge(&mut self, later: Self) {
        let Self { source, data } = later;
        match (&mut self.data, data) {
            (Data::Section(section), Data::Section(later)) => {
                self.source = source;
                for (name, value) in later {
                    match section.get_mut(&name) {
                        Some(earlier) => earlier.merge(value),
                        None => drop(section.insert(name, value)),
                    }
                }
            }
            (_, data) => *self = Self { source, data },
        }
    }
}

/// Parses a number, a boolean, a list or an inline table as TOML has them.
fn parse(text: &str) -> Option<toml::Value> {
    let mut table: toml::Table = format!("value = {text}").parse().ok()?;
    let value = table.remove("value")?;
    table.is_empty().then_some(value)
}
