//! Upload of a segment's recipients.

use async_trait::async_trait;
use domain::ProfileId;
use domain::segment::Recipients;

use crate::error::Error;

/// An upload of a segment's recipients, in parts. Memory use does not depend on their number.
///
/// An upload delivers nothing; the message is sent by [`domain::operation::Launch`]. Dropping
/// the upload discards the recipients, unless the message has been sent by then.
#[async_trait]
pub trait RecipientUpload: Send {
    /// Adds recipients; duplicates are allowed.
    ///
    /// # Errors
    /// After any error the upload is unusable: the caller drops it and starts another.
    /// [`Error::Overloaded`], [`Error::Busy`] and [`Error::Unavailable`] are transient.
    async fn add(&mut self, recipients: Vec<ProfileId>) -> Result<(), Error>;

    /// Completes the upload, to which nothing can be added afterwards. Returns the distinct
    /// recipients, valid until this is dropped. At least one has been added.
    ///
    /// # Errors
    /// As [`Self::add`]. [`Error::Unavailable`] also if stored recipients are missing, because
    /// the upload took longer than [`domain::limits::INTAKE_MS`] or the database was restored.
    async fn finish(&mut self) -> Result<Recipients, Error>;
}
