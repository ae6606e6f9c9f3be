//! Metadata of a conversation: strings by their paths.

use std::collections::BTreeMap;
use std::fmt;

use crate::limits::{
    METADATA_BYTES_MAX, METADATA_DEPTH_MAX, METADATA_KEY_BYTES_MAX, METADATA_PART_BYTES_MAX,
};

/// Path of a string in metadata: keys with dots between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataPath(String);

/// Reason why strings are no metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataError {
    /// The text is no path.
    Path(String),
    /// The path is below another one.
    Below(String),
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(_) => write!(
                f,
                "must be 1 to {METADATA_DEPTH_MAX} keys with dots between them, each of 1 to \
                 {METADATA_KEY_BYTES_MAX} bytes of A-Z a-z 0-9 _ -"
            ),
            Self::Below(_) => write!(f, "must not be below another path"),
        }
    }
}

impl std::error::Error for MetadataError {}

impl MetadataPath {
    /// Parses a path of 1 to 8 keys of `[A-Za-z0-9_-]{1,64}`.
    ///
    /// # Errors
    /// [`MetadataError::Path`].
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_key = |key: &str| {
            (1..=METADATA_KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(allowed)
        };
        let mut keys = 0;
        for key in text.split('.') {
            keys += 1;
            if keys > METADATA_DEPTH_MAX || !is_key(key) {
                return Err(MetadataError::Path(text.to_owned()));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this path is another one, or above it.
    fn covers(&self, other: &str) -> bool {
        let rest = other.strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Strings by their paths, none of which is below another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<MetadataPath, String>);

impl Metadata {
    /// Parses strings by their paths.
    ///
    /// # Errors
    /// All that is wrong with the paths.
    pub fn parse<'a>(
        strings: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<Self, Vec<MetadataError>> {
        let mut metadata = Self::default();
        let mut errors = Vec::new();
        for (path, value) in strings {
            match MetadataPath::parse(path) {
                Ok(path) => {
                    metadata.0.insert(path, value.clone());
                }
                Err(error) => errors.push(error),
            }
        }
        let below = metadata.0.keys().filter(|path| metadata.is_below(path));
        errors.extend(below.map(|path| MetadataError::Below(path.0.clone())));
        if errors.is_empty() {
            Ok(metadata)
        } else {
            Err(errors)
        }
    }

    /// Returns whether another path is above one of these.
    fn is_below(&self, path: &MetadataPath) -> bool {
        let mut above = path.0.as_str();
        while let Some((shorter, _)) = above.rsplit_once('.') {
            above = shorter;
            if self.0.contains_key(&MetadataPath(above.to_owned())) {
                return true;
            }
        }
        false
    }

    /// The strings by their paths, in bytewise order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let strings = self.0.iter();
        strings.map(|(path, value)| (path.as_str(), value.as_str()))
    }

    /// Returns whether there are no strings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Deletes the string at a path, and all that are below it.
    pub fn delete(&mut self, path: &MetadataPath) {
        self.0.retain(|other, _| !path.covers(other.as_str()));
    }

    /// Sets the strings of others, each of which replaces those above and below its path.
    pub fn set(&mut self, others: &Self) {
        for (path, value) in &others.0 {
            self.0
                .retain(|other, _| !path.covers(other.as_str()) && !other.covers(path.as_str()));
            self.0.insert(path.clone(), value.clone());
        }
    }

    /// Returns the bytes that are too many, with their maximum: those of a first key, or all.
    #[must_use]
    pub fn oversize(&self) -> Option<(usize, usize)> {
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        for (path, value) in self.iter() {
            let first = path.split('.').next().unwrap_or_default();
            *parts.entry(first).or_default() += path.len() + value.len();
        }
        let all: usize = parts.values().sum();
        let part = parts.into_values().max().unwrap_or(0);
        let limits = [(part, METADATA_PART_BYTES_MAX), (all, METADATA_BYTES_MAX)];
        limits.into_iter().find(|(bytes, max)| bytes > max)
    }

    /// The stored form: an object of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let strings: BTreeMap<&str, &str> = self.iter().collect();
        serde_json::to_string(&strings).expect("a map of strings")
    }

    /// Parses a stored form; none if it is malformed.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let strings: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
        Self::parse(&strings).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::metadata;

    fn path(text: &str) -> MetadataPath {
        MetadataPath::parse(text).expect("a path")
    }

    #[test]
    fn a_path_is_one_to_eight_plain_keys() {
        for text in ["a", "a.b-c._", "a.b.c.d.e.f.g.h", &"x".repeat(64)] {
            assert_eq!(path(text).as_str(), text);
        }
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "ä",
            "a.b.c.d.e.f.g.h.i",
            &"x".repeat(65),
        ] {
            assert!(MetadataPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn bad_paths_and_strings_below_others_are_errors() {
        let strings = |paths: &[&str]| -> BTreeMap<String, String> {
            let strings = paths.iter().map(|path| ((*path).to_owned(), String::new()));
            strings.collect()
        };
        assert!(Metadata::parse(&strings(&["a.b", "ab", "a-b", "a.c"])).is_ok());
        let errors = Metadata::parse(&strings(&["a", "a-b", "a.b.c", "x y"]));
        let below = MetadataError::Below("a.b.c".to_owned());
        assert_eq!(
            errors,
            Err(vec![MetadataError::Path("x y".to_owned()), below])
        );
    }

    #[test]
    fn a_deletion_takes_its_path_and_all_paths_below_only() {
        let mut all = metadata([("a", "1"), ("ab", "2"), ("b.c", "3"), ("b.d.e", "4")]);
        all.delete(&path("a"));
        assert_eq!(all, metadata([("ab", "2"), ("b.c", "3"), ("b.d.e", "4")]));
        all.delete(&path("b.d"));
        assert_eq!(all, metadata([("ab", "2"), ("b.c", "3")]));
        all.delete(&path("b.c.x"));
        all.delete(&path("b"));
        assert_eq!(all, metadata([("ab", "2")]));
    }

    #[test]
    fn a_string_replaces_those_above_and_below() {
        let mut all = metadata([("a", "1"), ("b.c", "2"), ("b.d.e", "3"), ("bc", "4")]);
        all.set(&metadata([("a.x", "5"), ("b", "6")]));
        assert_eq!(all, metadata([("a.x", "5"), ("b", "6"), ("bc", "4")]));
    }

    #[test]
    fn bytes_are_bounded_by_first_key_and_in_all() {
        let part = "x".repeat(METADATA_PART_BYTES_MAX - 3);
        let mut all = metadata([("a.b", part.as_str())]);
        assert_eq!(all.oversize(), None);
        all.set(&metadata([("a.c", "")]));
        let max = METADATA_PART_BYTES_MAX;
        assert_eq!(all.oversize(), Some((max + 3, max)));
        all.delete(&path("a.c"));
        for key in ["b", "c", "d", "e", "f", "g", "h"] {
            all.set(&metadata([(key, part.as_str())]));
        }
        assert_eq!(all.oversize(), None);
        all.set(&metadata([("i", "123456789012345")]));
        assert!(
            all.oversize()
                .is_some_and(|(_, max)| max == METADATA_BYTES_MAX)
        );
    }

    #[test]
    fn the_stored_form_is_read_as_it_was() {
        let all = metadata([("a", "\u{0}\""), ("b.c", "é")]);
        assert_eq!(Metadata::decode(&all.encode()), Some(all));
        assert_eq!(Metadata::default().encode(), "{}");
        for text in ["", "[]", "{\"a\":1}", "{\"a b\":\"\"}"] {
            assert_eq!(Metadata::decode(text), None, "{text}");
        }
    }
}
