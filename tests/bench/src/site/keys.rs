//! Tokens of all users, signed by an issuer that the servers trust.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use support::issuer::{ALL_SCOPES, APP, TestIssuer};
use tonic::metadata::{Ascii, MetadataValue};

use crate::site::dataset::{Dataset, profile};

/// The issuer's public keys in a folder.
pub const JWKS: &str = "jwks.json";
/// Added to the hour that a token is good for, for long runs.
const FURTHER_S: u64 = 12 * 3600;

/// Values of the header `authorization`, by user. Clones share them.
#[derive(Clone)]
pub struct SignedTokens(Arc<Signed>);

struct Signed {
    users: Vec<MetadataValue<Ascii>>,
    app: MetadataValue<Ascii>,
}

impl SignedTokens {
    /// Signs for all users of a dataset, and for their app.
    ///
    /// # Errors
    /// If the clock stands before 1970.
    pub fn sign(dataset: &Dataset) -> anyhow::Result<Self> {
        Self::sign_in(APP, dataset)
    }

    /// Signs tokens of an app.
    ///
    /// # Errors
    /// If the clock stands before 1970.
    pub fn sign_in(app: &str, dataset: &Dataset) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let from_s = i64::try_from(now + FURTHER_S)?;
        let issuer = TestIssuer::shared();
        let user = |user| bearer(&issuer.user(app, &profile(user), from_s));
        Ok(Self(Arc::new(Signed {
            users: (0..dataset.profiles())
                .map(user)
                .collect::<Result<_, _>>()?,
            app: bearer(&issuer.sys(app, ALL_SCOPES, from_s))?,
        })))
    }

    /// A user's.
    pub fn user(&self, user: u64) -> Option<MetadataValue<Ascii>> {
        self.0.users.get(usize::try_from(user).ok()?).cloned()
    }

    /// The app's.
    pub fn app(&self) -> MetadataValue<Ascii> {
        self.0.app.clone()
    }
}

/// Publishes the keys, and answers the issuer as it is configured.
///
/// # Errors
/// If the file cannot be written.
pub fn publish(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join(JWKS);
    fs::write(&path, TestIssuer::shared().jwks()).with_context(|| path.display().to_string())?;
    let jwks = path.display().to_string();
    let iss = TestIssuer::shared().config().iss;
    Ok(format!(
        "[[issuer]]\niss = {iss:?}\njwks = {jwks:?}\napps = \"*\"\nkinds = [\"user\", \"sys\"]\n"
    ))
}

fn bearer(token: &str) -> anyhow::Result<MetadataValue<Ascii>> {
    let mut value = MetadataValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(false);
    Ok(value)
}
