//! Claims to messages and conversations, checked before anything is locked: an operation on a message
//! or a conversation of others locks neither it nor the mailboxes of those others, and does not wait
//! for them.
//!
//! The sender of a message never changes. An entry may be gone by the time it is locked, which the
//! operation finds; one that comes later is too late.

use std::collections::{BTreeMap, BTreeSet};

use domain::operation::{Apply as _, Footprint};
use domain::{ConversationId, MessageId, MessageKind, Msgbox, ProfileId};
use storage::Error;

use super::lock::Footprints;
use super::operation::BatchedOperation;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::{message, participant};

/// The claims of a batch that hold.
pub struct RowClaims {
    /// App, message and claimant.
    messages: BTreeSet<(i64, MessageId, ProfileId)>,
    /// App, conversation and participant.
    conversations: BTreeSet<(i64, ConversationId, ProfileId)>,
}

impl RowClaims {
    /// Looks up the claims of operations, and returns them with the merged footprints.
    pub async fn read<DB: Backend>(
        connection: &mut Connection<DB>,
        operations: &[BatchedOperation],
    ) -> Result<(Self, Footprints), Error> {
        let of =
            |batched: &BatchedOperation| (batched.app.app_no, batched.operation.action.footprint());
        let footprints: Vec<(i64, Footprint)> = operations.iter().map(of).collect();
        let claims = Self {
            messages: look_up_messages(connection, &footprints).await?,
            conversations: look_up_conversations(connection, &footprints).await?,
        };
        let mut merged: Footprints = BTreeMap::new();
        for (app_no, mut footprint) in footprints {
            claims.apply_to(app_no, &mut footprint);
            merged.entry(app_no).or_default().merge(footprint);
        }
        Ok((claims, merged))
    }

    /// Returns the footprint of an operation, without messages that are not the claimant's.
    pub fn footprint(&self, batched: &BatchedOperation) -> Footprint {
        let mut footprint = batched.operation.action.footprint();
        self.apply_to(batched.app.app_no, &mut footprint);
        footprint
    }

    fn apply_to(&self, app_no: i64, footprint: &mut Footprint) {
        footprint.retain_claimed(
            |claimant, id| self.messages.contains(&(app_no, id, claimant.clone())),
            |claimant, id| self.conversations.contains(&(app_no, id, claimant.clone())),
        );
    }
}

async fn look_up_messages<DB: Backend>(
    connection: &mut Connection<DB>,
    footprints: &[(i64, Footprint)],
) -> Result<BTreeSet<(i64, MessageId, ProfileId)>, Error> {
    let mut look_up = BoundStatement::of(&message::CLAIMED).bind(MessageKind::Bulk.code());
    for (app_no, footprint) in footprints {
        let Some(claimant) = &footprint.claimant else {
            continue;
        };
        for message_id in footprint.messages.keys() {
            look_up.push_row([
                (*app_no).into(),
                message_id.uuid().into(),
                Msgbox::Inbox.code().into(),
                claimant.as_str().into(),
            ]);
        }
    }
    let mut claims = BTreeSet::new();
    if !look_up.is_empty() {
        for mut row in connection.fetch(look_up).await? {
            claims.insert((row.int()?, row.message_id()?, row.profile_id("mailbox")?));
        }
    }
    Ok(claims)
}

async fn look_up_conversations<DB: Backend>(
    connection: &mut Connection<DB>,
    footprints: &[(i64, Footprint)],
) -> Result<BTreeSet<(i64, ConversationId, ProfileId)>, Error> {
    let mut look_up = BoundStatement::of(&participant::CLAIMED);
    for (app_no, footprint) in footprints {
        let Some(claimant) = &footprint.claimant else {
            continue;
        };
        for id in &footprint.conversations {
            let claimant = claimant.as_str().into();
            look_up.push_row([(*app_no).into(), id.uuid().into(), claimant]);
        }
    }
    let mut claims = BTreeSet::new();
    if !look_up.is_empty() {
        for mut row in connection.fetch(look_up).await? {
            let (app_no, id) = (row.int()?, ConversationId::new(row.uuid()?));
            claims.insert((app_no, id, row.profile_id("mailbox")?));
        }
    }
    Ok(claims)
}
