//! How the recipients of a segment come in.

use async_trait::async_trait;
use domain::ProfileId;
use domain::segment::Recipients;

use crate::error::Error;

/// Takes in the recipients of a segment, part by part. Nobody gets anything by that: see
/// [`domain::operation::Launch`]. What is dropped before its end is forgotten.
///
/// However many they are, few of them are in memory at any time.
#[async_trait]
pub trait Intake: Send {
    /// Takes in some more, however often each was named before.
    async fn add(&mut self, recipients: Vec<ProfileId>) -> Result<(), Error>;

    /// All are there, one at least: each is to get one message. They are forgotten unless it is
    /// sent within an hour.
    async fn finish(self: Box<Self>) -> Result<Recipients, Error>;
}
