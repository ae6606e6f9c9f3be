//! Claims to messages, checked before anything is locked: an operation on a message of others locks
//! neither the message nor the mailboxes of its holders, and does not wait for them.
//!
//! The sender of a message never changes. An entry may be gone by the time it is locked, which the
//! operation finds; one that comes later is too late.

use std::collections::{BTreeMap, BTreeSet};

use domain::operation::{Apply as _, Footprint};
use domain::{MessageId, MessageKind, Msgbox, ProfileId};
use storage::Error;

use super::lock::Footprints;
use super::operation::BatchedOperation;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::message;

/// The claims of a batch that hold: app, message and claimant.
pub struct MessageClaims(BTreeSet<(i64, MessageId, ProfileId)>);

impl MessageClaims {
    /// Looks up the claims of operations, and returns them with the merged footprints.
    pub async fn read<DB: Backend>(
        connection: &mut Connection<DB>,
        operations: &[BatchedOperation],
    ) -> Result<(Self, Footprints), Error> {
        let of =
            |batched: &BatchedOperation| (batched.app.app_no, batched.operation.action.footprint());
        let footprints: Vec<(i64, Footprint)> = operations.iter().map(of).collect();
        let claims = Self::look_up(connection, &footprints).await?;
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
        footprint.retain_claimed(|claimant, message_id| {
            self.0.contains(&(app_no, message_id, claimant.clone()))
        });
    }

    async fn look_up<DB: Backend>(
        connection: &mut Connection<DB>,
        footprints: &[(i64, Footprint)],
    ) -> Result<Self, Error> {
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
        Ok(Self(claims))
    }
}
