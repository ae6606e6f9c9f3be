//! The reference: what Postroom does, in maps and vectors. No counters (they are counted),
//! no locks, no batches, no SQL; nothing of the ledger.

mod bulk;
mod person;
mod read;
mod settle;
mod write;

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::bulk::{BulkEvent, Tally};
use domain::limits::{EXPIRED_KEPT_MS, IDEMPOTENCY_MS};
use domain::operation::Deliver;
use domain::request::{Fingerprint, Request, RequestKey};
use domain::{
    Action, AppId, Content, Message, MessageId, Millis, Outcome, Policy, ProfileId, Refusal,
    Sender, Settings,
};

use person::Person;

type Verdict = Result<Outcome, Refusal>;

/// All apps.
#[derive(Debug)]
pub struct Reference {
    defaults: Policy,
    apps: BTreeMap<AppId, App>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Deed {
    /// A message is sent.
    Send(Letter),
    /// Anything else.
    Act(Action),
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Who it is from.
    pub from: Sender,
    /// Who it is to, as they were named.
    pub to: Vec<ProfileId>,
    /// What it says.
    pub content: Content,
    /// What devices show.
    pub notification: Option<Bytes>,
    /// How long it lives.
    pub lifetime_ms: Option<i64>,
}

impl Deed {
    /// The deed as the store takes it.
    pub fn action(&self) -> Action {
        match self.clone() {
            Self::Send(letter) => Action::Deliver(
                Deliver::new(letter.from, letter.to, letter.content)
                    .with_notification(letter.notification)
                    .with_lifetime_ms(letter.lifetime_ms),
            ),
            Self::Act(action) => action,
        }
    }
}

#[derive(Debug, Default)]
struct App {
    settings: Settings,
    people: BTreeMap<ProfileId, Person>,
    messages: BTreeMap<MessageId, Message>,
    answers: BTreeMap<RequestKey, Answer>,
    /// What has become of messages to everyone.
    events: Vec<BulkEvent>,
    events_ever: i64,
    recalled: BTreeMap<MessageId, Message>,
    tallies: BTreeMap<MessageId, Tally>,
    now: Millis,
    /// How often something happened to a mailbox that nobody did to it.
    met: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Answer {
    fingerprint: Fingerprint,
    outcome: Outcome,
    expire_ms: Millis,
}

impl Reference {
    /// Nothing has happened yet.
    pub const fn new(defaults: Policy) -> Self {
        Self {
            defaults,
            apps: BTreeMap::new(),
        }
    }

    /// Does it, or answers what was answered before.
    pub fn execute(
        &mut self,
        app: &AppId,
        request: Option<Request>,
        deed: &Deed,
        message_id: MessageId,
        now: Millis,
    ) -> Verdict {
        let app = self.apps.entry(app.clone()).or_default();
        app.now = now;
        app.settle_all_in(&self.defaults, deed);
        let Some(Request { key, fingerprint }) = request else {
            return app.run(&self.defaults, deed, message_id, now);
        };
        let answer = app.answers.get(&key);
        if let Some(answer) = answer.filter(|answer| answer.expire_ms > now) {
            return if answer.fingerprint == fingerprint {
                Ok(answer.outcome.clone())
            } else {
                Err(Refusal::RequestIdReused)
            };
        }
        let outcome = app.run(&self.defaults, deed, message_id, now)?;
        let answer = Answer {
            fingerprint,
            outcome: outcome.clone(),
            expire_ms: now.after(IDEMPOTENCY_MS),
        };
        app.answers.insert(key, answer);
        Ok(outcome)
    }
}

impl Reference {
    /// Somebody looks at a mailbox, if it has begun.
    pub fn visit(&mut self, app: &AppId, owner: &ProfileId, now: Millis) -> bool {
        let Some(app) = self.apps.get_mut(app) else {
            return false;
        };
        app.now = now;
        let has_begun = app.people.contains_key(owner);
        if has_begun {
            app.settle(&self.defaults, owner);
        }
        has_begun
    }

    /// How often that happened to mailboxes when they settled.
    pub fn met(&self, what: &str) -> u64 {
        let times = self.apps.values().filter_map(|app| app.met.get(what));
        times.sum()
    }

    /// What time has made due, and nobody has come for.
    pub fn sweep(&mut self, now: Millis) {
        let kept_since = now.after(-EXPIRED_KEPT_MS);
        for app in self.apps.values_mut() {
            app.now = now;
            app.settle_expired(&self.defaults);
            app.messages
                .retain(|_, message| message.envelope.expire_ms > kept_since);
            app.recalled
                .retain(|_, message| message.envelope.expire_ms > kept_since);
            app.events.retain(|event| event.expire_ms > kept_since);
            app.answers
                .retain(|_, answer| answer.expire_ms > kept_since);
            let App {
                tallies,
                messages,
                recalled,
                ..
            } = app;
            tallies.retain(|id, _| messages.contains_key(id) || recalled.contains_key(id));
        }
    }
}

impl App {
    fn run(
        &mut self,
        defaults: &Policy,
        deed: &Deed,
        message_id: MessageId,
        now: Millis,
    ) -> Verdict {
        let policy = self.settings.over(defaults);
        match deed {
            Deed::Send(letter) => self.send(&policy, letter, message_id, now),
            Deed::Act(action) => match action {
                // Nobody sees of a trim who has no cursor.
                Action::Open(_) | Action::Settle(_) | Action::Trim(_) => Ok(Outcome::Done),
                Action::SendBulk(send) => self.send_bulk(&policy, send, message_id),
                Action::Deliver(_) => unreachable!("a message is sent as a letter"),
                Action::Launch(_) | Action::Advance(_) | Action::StopJob(_) => {
                    unreachable!("segments have tests of their own")
                }
                Action::Mark(mark) => Ok(self.mark(mark, now)),
                Action::MarkDelivered(mark) => Ok(self.mark_delivered(mark, now)),
                Action::Delete(delete) => Ok(self.delete(delete, now)),
                Action::Clear(clear) => Ok(self.clear(clear, now)),
                Action::Recall(recall) => self.recall(&policy, recall, now),
                Action::Edit(edit) => self.edit(&policy, edit, now),
                Action::Update(update) => self.update(&policy, update, now),
                Action::RemoveOne(remove) => self.remove_one(remove, now),
                Action::Remove(remove) => Ok(self.remove(remove, now)),
                Action::Configure(configure) => self.configure(configure),
            },
        }
    }
}
