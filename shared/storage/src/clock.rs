//! Source of time of a store, a parameter so that tests can replace it.

use domain::Now;

use crate::Error;

/// The clock of a store.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the time is not known well enough.
    fn now(&self) -> Result<Now, Error>;
}
