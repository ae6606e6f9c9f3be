//! The reference: what Postroom does, in maps and vectors. No counters (they are counted),
//! no locks, no batches, no SQL; nothing of the ledger.

mod bulk;
mod mailbox;
mod read;
mod settle;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use domain::bulk::{BulkEvent, Tally};
use domain::limits::{EXPIRED_KEPT_MS, IDEMPOTENCY_MS};
use domain::operation::SendMessage;
use domain::request::{Fingerprint, Request, RequestKey};
use domain::{
    Action, AppId, Draft, Message, MessageId, MessageIdSource, Millis, Outcome, Policy, ProfileId,
    Refusal, Settings,
};

use mailbox::ReferenceMailbox;

type ReferenceResult = Result<Outcome, Refusal>;

/// All apps.
#[derive(Debug)]
pub struct Reference {
    defaults: Policy,
    apps: BTreeMap<AppId, ReferenceApp>,
}

/// An action, in the form in which the reference takes it.
#[derive(Debug, Clone)]
pub enum ReferenceAction {
    /// A message is sent.
    Send(ReferenceMessage),
    /// Anything else.
    Act(Action),
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct ReferenceMessage {
    /// Message apart from its recipients.
    pub draft: Draft,
    /// Recipients, as they were named.
    pub to: Vec<ProfileId>,
}

impl ReferenceAction {
    /// The action as the store takes it.
    pub fn action(&self) -> Action {
        match self.clone() {
            Self::Send(message) => Action::SendMessage(SendMessage::new(message.draft, message.to)),
            Self::Act(action) => action,
        }
    }
}

#[derive(Debug, Default)]
struct ReferenceApp {
    settings: Settings,
    mailboxes: BTreeMap<ProfileId, ReferenceMailbox>,
    /// Owners, each with a profile that it blocks.
    blocks: BTreeSet<(ProfileId, ProfileId)>,
    messages: BTreeMap<MessageId, Message>,
    answers: BTreeMap<RequestKey, StoredAnswer>,
    /// Events of bulk messages.
    events: Vec<BulkEvent>,
    events_ever: i64,
    recalled: BTreeMap<MessageId, Message>,
    tallies: BTreeMap<MessageId, Tally>,
    now: Millis,
    /// Number of changes by settling, by kind.
    met: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct StoredAnswer {
    fingerprint: Fingerprint,
    outcome: Outcome,
    expire_ms: Millis,
}

impl Reference {
    /// An empty reference.
    pub const fn new(defaults: Policy) -> Self {
        Self {
            defaults,
            apps: BTreeMap::new(),
        }
    }

    /// Executes an action, or returns the stored answer to its request id.
    pub fn execute(
        &mut self,
        app: &AppId,
        request: Option<Request>,
        action: &ReferenceAction,
        ids: &dyn MessageIdSource,
        now: Millis,
    ) -> ReferenceResult {
        let app = self.apps.entry(app.clone()).or_default();
        app.now = now;
        app.settle_all_in(&self.defaults, action);
        let Some(Request { key, fingerprint }) = request else {
            return app.run(&self.defaults, action, ids, now);
        };
        let answer = app.answers.get(&key);
        if let Some(answer) = answer.filter(|answer| answer.expire_ms > now) {
            return if answer.fingerprint == fingerprint {
                Ok(answer.outcome.clone())
            } else {
                Err(Refusal::RequestIdReused)
            };
        }
        let outcome = app.run(&self.defaults, action, ids, now)?;
        let answer = StoredAnswer {
            fingerprint,
            outcome: outcome.clone(),
            expire_ms: now.after(IDEMPOTENCY_MS),
        };
        app.answers.insert(key, answer);
        Ok(outcome)
    }
}

impl Reference {
    /// Settles a mailbox as a read does; false if there is none.
    pub fn visit(&mut self, app: &AppId, owner: &ProfileId, now: Millis) -> bool {
        let Some(app) = self.apps.get_mut(app) else {
            return false;
        };
        app.now = now;
        let has_begun = app.mailboxes.contains_key(owner);
        if has_begun {
            app.settle(&self.defaults, owner);
        }
        has_begun
    }

    /// Number of changes of a kind by settling.
    pub fn met(&self, what: &str) -> u64 {
        let times = self.apps.values().filter_map(|app| app.met.get(what));
        times.sum()
    }

    /// Settles all mailboxes with expired entries, and removes expired rows.
    pub fn sweep(&mut self, now: Millis) {
        let kept_since = now.after(-EXPIRED_KEPT_MS);
        for app in self.apps.values_mut() {
            app.now = now;
            app.settle_expired(&self.defaults);
            app.settle_senders(&self.defaults, kept_since);
            app.messages
                .retain(|_, message| message.envelope.expire_ms > kept_since);
            app.recalled
                .retain(|_, message| message.envelope.expire_ms > kept_since);
            app.events.retain(|event| event.expire_ms > kept_since);
            app.answers
                .retain(|_, answer| answer.expire_ms > kept_since);
            let ReferenceApp {
                tallies,
                messages,
                recalled,
                ..
            } = app;
            tallies.retain(|id, _| messages.contains_key(id) || recalled.contains_key(id));
        }
    }
}

impl ReferenceApp {
    fn run(
        &mut self,
        defaults: &Policy,
        action: &ReferenceAction,
        ids: &dyn MessageIdSource,
        now: Millis,
    ) -> ReferenceResult {
        let policy = self.settings.over(defaults);
        match action {
            ReferenceAction::Send(message) => self.send(&policy, message, ids, now),
            ReferenceAction::Act(action) => match action {
                // A trim is visible to cursors only.
                Action::CreateMailbox(_)
                | Action::SettleMailbox(_)
                | Action::ExpireMessages(_)
                | Action::ExpireOrphans(_)
                | Action::TrimTombstones(_) => Ok(Outcome::Done),
                Action::SendBulk(send) => self.send_bulk(&policy, send, ids, now),
                Action::SendMessage(_) => unreachable!("a message is sent as a message"),
                Action::SendToProfiles(_)
                | Action::DeliverChunk(_)
                | Action::CancelSendJob(_)
                | Action::RecordRead(_) => {
                    unreachable!("segments have tests of their own")
                }
                Action::RevokeTokens(_) => unreachable!("tokens have no mail"),
                Action::CreateConversation(_)
                | Action::ChangeParticipants(_)
                | Action::LeaveConversation(_)
                | Action::UpdateConversationMetadata(_) => {
                    unreachable!("conversations have tests of their own")
                }
                Action::EraseApp(_)
                | Action::EraseProfile(_)
                | Action::ForgetRecipient(_)
                | Action::DeleteMailbox(_) => {
                    unreachable!("erasures have tests of their own")
                }
                Action::MarkMessagesRead(mark) => Ok(self.mark(mark, now)),
                Action::MarkMessagesDelivered(mark) => Ok(self.mark_delivered(mark, now)),
                Action::DeleteEntries(delete) => Ok(self.delete(delete, now)),
                Action::ClearMessages(clear) => Ok(self.clear(clear, now)),
                Action::DeleteForEveryone(recall) => self.recall(&policy, recall, now),
                Action::EditMessage(edit) => self.edit(&policy, edit, now),
                Action::UpdateMessage(update) => self.update(&policy, update, now),
                Action::DeleteMessage(remove) => self.remove_one(remove, now),
                Action::DeleteMessages(remove) => Ok(self.remove(remove, now)),
                Action::UpdateAppSettings(configure) => self.configure(configure),
                Action::BlockProfile(it) => {
                    self.blocks
                        .insert((it.owner.clone(), it.profile_id.clone()));
                    Ok(Outcome::Done)
                }
                Action::UnblockProfile(it) => {
                    self.blocks
                        .remove(&(it.owner.clone(), it.profile_id.clone()));
                    Ok(Outcome::Done)
                }
            },
        }
    }
}
