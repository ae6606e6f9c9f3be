//! Conversations of a profile, which leaves them.

use domain::Refusal;
use domain::operation::LeaveConversation;
use storage::Error;

use super::ErasureStep;
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::read;

/// Number of conversations that one step leaves.
const CONVERSATIONS: usize = 50;

/// Leaves the next conversations. Returns whether there are no others.
pub async fn leave<DB: Backend>(step: &ErasureStep<'_, DB>) -> Result<bool, Error> {
    let mut connection = Connection::of(&step.jobs.read).await?;
    let all = read::conversations::participations(&mut connection, step.app.app_no, step.profile);
    let all = all.await?;
    drop(connection);
    for participation in all.iter().take(CONVERSATIONS) {
        let leave = LeaveConversation {
            caller: step.profile.clone(),
            conversation_id: participation.conversation_id,
        };
        match step.run_to_end(leave).await {
            // Another participant has removed the profile since.
            Ok(()) | Err(Error::Refused(Refusal::ConversationNotFound)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all.len() <= CONVERSATIONS)
}
