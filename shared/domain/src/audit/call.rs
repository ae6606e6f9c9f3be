//! Audited calls, before they are recorded.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// Kind of an audited call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditKind {
    /// A change.
    Change,
    /// A read of contents.
    Read,
}

impl AuditKind {
    const ALL: [Self; 2] = [Self::Change, Self::Read];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Change => 1,
            Self::Read => 2,
        }
    }

    /// The kind of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Name in exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Read => "read",
        }
    }
}

/// An audited call: its caller and request.
#[derive(Debug, Clone)]
pub struct AuditedCall {
    /// Id of the call, as in the access log.
    pub call_id: Uuid,
    /// Full name of the method.
    pub method: &'static str,
    /// Kind of the call.
    pub kind: AuditKind,
    /// Subject of the token; none if the token names none.
    pub subject: Option<Arc<str>>,
    /// Issuer of the token.
    pub issuer: Arc<str>,
    /// Id of the key that signed the token; none if the token names none.
    pub key_id: Option<Arc<str>>,
    /// Hash of the request.
    pub request: RequestHasher,
}

/// Keyed hash of a request, as far as it has been received. Clones share it.
#[derive(Clone)]
pub struct RequestHasher(Arc<Mutex<blake3::Hasher>>);

impl RequestHasher {
    /// Hash of nothing yet, with a key.
    pub(super) fn new(key: &[u8; blake3::KEY_LEN]) -> Self {
        Self(Arc::new(Mutex::new(blake3::Hasher::new_keyed(key))))
    }

    /// Adds received bytes.
    pub fn update(&self, bytes: &[u8]) {
        let mut hasher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.update(bytes);
    }

    /// The hash of all bytes so far.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let hasher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.finalize().into()
    }
}

impl fmt::Debug for RequestHasher {
    /// Formats nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestHasher(..)")
    }
}
