//! How the recipients of a segment come in.

use async_trait::async_trait;
use domain::ProfileId;
use domain::segment::Recipients;

use crate::error::Error;

/// Takes in the recipients of a segment, part by part. Nobody gets anything by that: see
/// [`domain::operation::Launch`]. When this is dropped, they are forgotten unless that was done.
///
/// However many they are, few of them are in memory at any time.
#[async_trait]
pub trait Intake: Send {
    /// Takes in some more, however often each was named before.
    async fn add(&mut self, recipients: Vec<ProfileId>) -> Result<(), Error>;

    /// All are there, one at least: each is to get one message, if it is sent before this is
    /// dropped. Nothing is added after that.
    async fn finish(&mut self) -> Result<Recipients, Error>;
}
