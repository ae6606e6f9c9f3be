//! Scopes of privileged tokens.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// Permission for a part of `Sys`. No scope implies another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `sys.read`: read any mailbox and message of the app.
    Read,
    /// `sys.send`: send system messages.
    Send,
    /// `sys.write`: change and delete any message of the app.
    Write,
    /// `sys.bulk`: send messages to everyone.
    Bulk,
    /// `sys.admin`: read and change the app's settings.
    Admin,
    /// `sys.audit`: read the audit log.
    Audit,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::Send,
        Self::Write,
        Self::Bulk,
        Self::Admin,
        Self::Audit,
    ];

    /// Returns the name in the `scope` claim.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "sys.read",
            Self::Send => "sys.send",
            Self::Write => "sys.write",
            Self::Bulk => "sys.bulk",
            Self::Admin => "sys.admin",
            Self::Audit => "sys.audit",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Returns the named scopes. Unknown names are ignored: they may be another service's.
    pub(crate) fn named<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        names.filter_map(Scope::named).collect()
    }

    /// Returns true if the set contains the scope.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Scopes of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A list of names, all of which are known.
impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let scopes = names.iter().map(|name| {
            let unknown = || de::Error::custom(format!("{name:?} is no scope"));
            Scope::named(name).ok_or_else(unknown)
        });
        scopes.collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_implies_another() {
        for scope in Scope::ALL {
            let scopes = Scopes::named([scope.as_str()].into_iter());
            for other in Scope::ALL {
                assert_eq!(scopes.contains(other), scope == other, "{scope} {other}");
            }
        }
    }

    #[test]
    fn only_whole_names_count() {
        let names = ["openid", "sys.read", "", "sys.writer", "xsys.bulk", "sys."];
        let scopes = Scopes::named(names.into_iter());
        assert_eq!(scopes, Scopes::from_iter([Scope::Read]));
    }
}
