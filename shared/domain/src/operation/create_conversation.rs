//! A user creates a conversation with others, or finds the one that is meant.

use std::collections::BTreeSet;

use super::{Apply, ConversationCreated, CreationOutcome, Footprint, UserSend, Weight};
use crate::conversation::{Conversation, DistinctKey, Metadata, create_fingerprint};
use crate::id::{ConversationId, ProfileId};
use crate::ledger::Ledger;
use crate::number::saturating;
use crate::policy::Policy;
use crate::quota::KeptQuota;
use crate::refusal::{LimitExceeded, Refusal};
use crate::request::Fingerprint;
use crate::usage::AppUsage;

/// Creates a conversation, unless there is a distinct one of the same participants, or one with the
/// same chosen id by the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateConversation {
    /// Profile that creates it, a participant.
    creator: ProfileId,
    /// All participants, in bytewise order.
    participants: Vec<ProfileId>,
    /// True to have one conversation of these participants.
    distinct: bool,
    /// Metadata of a new one.
    metadata: Metadata,
    /// Id that the client has chosen.
    chosen_id: Option<ConversationId>,
}

impl CreateConversation {
    /// A conversation of a profile with others, each of whom may be named more than once.
    #[must_use]
    pub fn new(
        creator: ProfileId,
        others: Vec<ProfileId>,
        distinct: bool,
        metadata: Metadata,
        chosen_id: Option<ConversationId>,
    ) -> Self {
        let participants: BTreeSet<ProfileId> =
            others.into_iter().chain([creator.clone()]).collect();
        Self {
            creator,
            participants: participants.into_iter().collect(),
            distinct,
            metadata,
            chosen_id,
        }
    }

    /// All participants, in bytewise order.
    #[must_use]
    pub fn participants(&self) -> &[ProfileId] {
        &self.participants
    }

    fn distinct_key(&self) -> Option<DistinctKey> {
        self.distinct.then(|| DistinctKey::of(&self.participants))
    }

    fn fingerprint(&self) -> Fingerprint {
        create_fingerprint(&self.participants, self.distinct, &self.metadata)
    }

    /// Finds the conversation that is meant.
    fn find(&self, ledger: &Ledger) -> Result<Option<ConversationCreated>, Refusal> {
        let chosen = self
            .chosen_id
            .and_then(|id| ledger.existing_conversation(id));
        if let Some(found) = chosen {
            let is_same = found.creator.as_ref() == Some(&self.creator)
                && found.create_fingerprint == self.fingerprint();
            return if is_same {
                Ok(Some(ConversationCreated {
                    conversation_id: found.conversation_id,
                    outcome: CreationOutcome::Found,
                }))
            } else {
                Err(Refusal::ConversationIdInUse)
            };
        }
        let key = self.distinct_key();
        let distinct = key.and_then(|key| ledger.distinct_conversation(key));
        Ok(distinct.map(|found| {
            let has_other = !self.metadata.is_empty() && self.metadata != found.metadata;
            ConversationCreated {
                conversation_id: found.conversation_id,
                outcome: if has_other {
                    CreationOutcome::FoundWithOtherMetadata
                } else {
                    CreationOutcome::Found
                },
            }
        }))
    }
}

impl Apply for CreateConversation {
    type Outcome = ConversationCreated;

    fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.creator.clone()]),
            sends: vec![UserSend {
                sender: self.creator.clone(),
                to: self.participants.clone(),
            }],
            chosen_ids: self.chosen_id.into_iter().collect(),
            distinct_keys: self.distinct_key().into_iter().collect(),
            ..Footprint::default()
        }
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.participants.len())
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.creator)
    }

    fn lane_key(&self) -> Option<&ProfileId> {
        self.participants.first()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<ConversationCreated, Refusal> {
        let policy = ledger.policy();
        check_number(&policy, self.participants.len())?;
        check_blocks(ledger, &self.creator, &self.participants)?;
        if let Some(found) = self.find(ledger)? {
            return Ok(found);
        }
        check_new(ledger, &policy, &self.creator, &self.participants)?;
        let conversation_id = self
            .chosen_id
            .unwrap_or_else(|| ledger.new_conversation_id());
        let now = ledger.now();
        ledger.add_conversation(Conversation {
            conversation_id,
            distinct_key: self.distinct_key(),
            participants: self.participants.clone(),
            metadata: self.metadata.clone(),
            version: 1,
            creator: Some(self.creator.clone()),
            create_fingerprint: self.fingerprint(),
            create_ms: now,
            update_ms: now,
        });
        cause_mailboxes(ledger, &self.creator, &self.participants);
        Ok(ConversationCreated {
            conversation_id,
            outcome: CreationOutcome::Created,
        })
    }
}

/// Checks the number of participants against the app's policy.
pub(super) fn check_number(policy: &Policy, participants: usize) -> Result<(), Refusal> {
    let max = policy.max_participants;
    let exceeded = participants > max as usize;
    Refusal::if_exceeded(exceeded.then_some(LimitExceeded::Participants {
        named: participants,
        max,
    }))
}

/// Checks that a profile blocks none of those that it brings into a conversation.
pub(super) fn check_blocks(
    ledger: &Ledger,
    caller: &ProfileId,
    participants: &[ProfileId],
) -> Result<(), Refusal> {
    let mut participants = participants.iter();
    if participants.any(|it| ledger.has_block(caller, it)) {
        return Err(Refusal::ProfileBlocked);
    }
    Ok(())
}

/// Checks whether profiles may be brought into a conversation: all of them, or none.
pub(super) fn check_new(
    ledger: &Ledger,
    policy: &Policy,
    caller: &ProfileId,
    participants: &[ProfileId],
) -> Result<(), Refusal> {
    let others = || participants.iter().filter(move |it| *it != caller);
    // None is there if the policy has changed since the mailboxes of the batch were created.
    let is_reached = |it: &ProfileId| {
        let mailbox = ledger.mailbox(it);
        mailbox.is_some_and(|mailbox| mailbox.known || policy.allow_unknown_recipients)
    };
    if !others().all(is_reached) {
        return Err(Refusal::RecipientsUnknown);
    }
    if participants
        .iter()
        .any(|it| ledger.is_full_of_conversations(it))
    {
        return Err(Refusal::ConversationsFull);
    }
    if ledger.has_usage() {
        let unused = participants.iter().filter(|it| ledger.is_abandoned(it));
        let more = AppUsage {
            bytes: 0,
            mailboxes: saturating(unused.count()),
        };
        ledger.check_usage(policy, more)?;
    }
    let new: i64 = saturating(others().filter(|it| ledger.is_uncaused(it)).count());
    let unused = ledger.unused_mailboxes(caller) + new;
    if new > 0 && !policy.quotas.may_create(unused) {
        return Err(Refusal::TooMuchKept(KeptQuota::ProfileUnusedMailboxes));
    }
    Ok(())
}

/// Notes whose conversation has created mailboxes.
pub(super) fn cause_mailboxes(ledger: &mut Ledger, caller: &ProfileId, participants: &[ProfileId]) {
    for participant in participants.iter().filter(|it| *it != caller) {
        ledger.cause_mailbox(participant, caller);
    }
}
