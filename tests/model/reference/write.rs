//! What each deed does.

use bytes::Bytes;
use domain::bulk::Turn;
use domain::message::Envelope;
use domain::operation::{
    Clear, Configure, Delete, Edit, Mark, MarkDelivered, Recall, Remove, RemoveOne, Revision, Sent,
    Update,
};
use domain::{
    Audience, Content, Message, MessageId, MessageKind, Millis, Msgbox, Outcome, Policy, ProfileId,
    Reason, Refusal, Violations, expiry,
};

use super::person::Person;
use super::{App, Letter, Verdict};

impl App {
    pub(super) fn send(
        &mut self,
        policy: &Policy,
        letter: &Letter,
        message_id: MessageId,
        now: Millis,
    ) -> Verdict {
        check_letter(letter, policy)?;
        let mut to = letter.to.clone();
        to.sort();
        to.dedup();
        let room = policy.max_box_messages as usize;
        let mut takers = to.clone();
        takers.retain(|recipient| self.person(recipient).held(Msgbox::Inbox).len() < room);
        if takers.is_empty() {
            return Err(Refusal::BoxFull);
        }

        let envelope = envelope(letter, to, policy, message_id);
        let (send_ms, expire_ms) = (envelope.send_ms, envelope.expire_ms);
        for taker in &takers {
            let person = self.person(taker);
            person.receive(Msgbox::Inbox, message_id, expire_ms, now);
        }
        if let Some(sender) = &letter.from.profile_id {
            let person = self.person(sender);
            while person.held(Msgbox::Sent).len() >= room {
                let oldest = person.held(Msgbox::Sent).into_iter().min();
                person.lose(Msgbox::Sent, oldest.expect("a full box"), now);
            }
            person.receive(Msgbox::Sent, message_id, expire_ms, now);
        }
        let requested = number(envelope.to.len());
        let content = letter.content.clone();
        self.messages
            .insert(message_id, Message { envelope, content });
        Ok(Outcome::Sent(Sent {
            message_id,
            requested,
            actual: number(takers.len()),
            send_ms,
            expire_ms,
        }))
    }

    pub(super) fn mark(&mut self, mark: &Mark, now: Millis) -> Outcome {
        let mut actual = 0;
        for &message_id in &mark.message_ids {
            let person = self.person(&mark.owner);
            let Some(entry) = person.entry(mark.msgbox, message_id) else {
                continue;
            };
            actual += 1;
            if mark.msgbox == Msgbox::Inbox && entry.read_ms.is_some() != mark.read {
                person.change(mark.msgbox, message_id, now, |entry| {
                    entry.read_ms = mark.read.then_some(entry.update_ms);
                });
                self.tally(message_id, |tally| {
                    tally.read += if mark.read { 1 } else { -1 };
                });
            }
        }
        Outcome::Changed(actual)
    }

    pub(super) fn mark_delivered(&mut self, mark: &MarkDelivered, now: Millis) -> Outcome {
        let person = self.person(&mark.owner);
        let mut actual = 0;
        for entry in &mut person.entries {
            let is_meant = mark.message_ids.contains(&entry.message_id);
            if entry.msgbox == Msgbox::Inbox && is_meant {
                entry.delivered_ms = entry.delivered_ms.or(Some(now));
                actual += 1;
            }
        }
        Outcome::Changed(actual)
    }

    pub(super) fn delete(&mut self, delete: &Delete, now: Millis) -> Outcome {
        let ids = delete.message_ids.iter();
        let lost = ids.filter(|id| self.give_up(&delete.owner, delete.msgbox, **id, now));
        Outcome::Changed(number(lost.count()))
    }

    pub(super) fn clear(&mut self, clear: &Clear, now: Millis) -> Outcome {
        let person = self.person(&clear.owner);
        let mut held = person.held(clear.msgbox);
        held.sort();
        for message_id in &held {
            self.give_up(&clear.owner, clear.msgbox, *message_id, now);
        }
        Outcome::Changed(number(held.len()))
    }

    /// An owner deletes the own copy.
    fn give_up(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
        now: Millis,
    ) -> bool {
        let lost = self.person(owner).lose(msgbox, message_id, now);
        if lost && msgbox == Msgbox::Inbox {
            self.tally(message_id, |tally| tally.deleted += 1);
        }
        lost
    }

    pub(super) fn recall(&mut self, policy: &Policy, recall: &Recall, now: Millis) -> Verdict {
        let mut mine = recall.message_ids.clone();
        mine.retain(|&message_id| match recall.msgbox {
            Msgbox::Sent => self.is_sender(&recall.owner, message_id),
            Msgbox::Inbox => self.is_holder(&recall.owner, message_id),
        });
        let allowed = match recall.msgbox {
            Msgbox::Sent => policy.allow_delete_for_everyone,
            Msgbox::Inbox => policy.recipients_may_delete_for_everyone,
        };
        let regular = |id: &MessageId| self.messages[id].envelope.kind == MessageKind::Regular;
        if !mine.iter().all(|id| allowed && regular(id)) {
            return Err(Refusal::NotAllowed);
        }
        for &message_id in &mine {
            self.take_away(message_id, now);
        }
        Ok(Outcome::Changed(number(mine.len())))
    }

    pub(super) fn edit(&mut self, policy: &Policy, edit: &Edit, now: Millis) -> Verdict {
        if !self.is_sender(&edit.owner, edit.message_id) {
            return Err(if self.is_holder(&edit.owner, edit.message_id) {
                Refusal::NotAllowed
            } else {
                Refusal::NotFound
            });
        }
        if !policy.allow_edit {
            return Err(Refusal::NotAllowed);
        }
        let update = Update {
            message_id: edit.message_id,
            content: edit.content.clone(),
            expected_version: edit.expected_version,
        };
        self.update(policy, &update, now)
    }

    pub(super) fn update(&mut self, policy: &Policy, update: &Update, now: Millis) -> Verdict {
        let message_id = update.message_id;
        self.expect_version(message_id, update.expected_version)?;
        let mut wrong = Violations::none();
        check_size(&update.content, policy, &mut wrong);
        wrong.check().map_err(Refusal::Invalid)?;

        let message = self.messages.get_mut(&message_id).expect("it is there");
        message.content = update.content.clone();
        let envelope = &mut message.envelope;
        envelope.version += 1;
        envelope.modified = true;
        envelope.update_ms = envelope.update_ms.max(now);
        let revision = Revision {
            message_id,
            version: envelope.version,
            update_ms: envelope.update_ms,
            digest: update.content.digest,
        };
        let envelope = envelope.clone();
        if envelope.kind == MessageKind::Bulk {
            self.happens(Turn::Updated, &envelope, Audience::Everyone);
        }
        for (owner, msgbox) in self.places(message_id) {
            let person = self.person(&owner);
            person.change(msgbox, message_id, now, |entry| {
                entry.content_version = revision.version;
            });
        }
        Ok(Outcome::Revised(revision))
    }

    pub(super) fn remove_one(&mut self, remove: &RemoveOne, now: Millis) -> Verdict {
        self.expect_version(remove.message_id, remove.expected_version)?;
        self.take_away(remove.message_id, now);
        Ok(Outcome::Done)
    }

    pub(super) fn remove(&mut self, remove: &Remove, now: Millis) -> Outcome {
        let ids = remove.message_ids.iter();
        let removed = ids.filter(|id| self.take_away(**id, now)).count();
        Outcome::Changed(number(removed))
    }

    pub(super) fn configure(&mut self, configure: &Configure) -> Verdict {
        let current = self.settings.version;
        if let Some(expected) = configure.expected_version
            && expected != current
        {
            return Err(Refusal::VersionMismatch { expected, current });
        }
        self.settings = configure.settings.clone();
        self.settings.version = current + 1;
        Ok(Outcome::Configured(self.settings.clone()))
    }

    pub(super) fn person(&mut self, owner: &ProfileId) -> &mut Person {
        self.people.entry(owner.clone()).or_default()
    }

    fn is_sender(&self, owner: &ProfileId, message_id: MessageId) -> bool {
        let message = self.message(message_id);
        message.is_some_and(|message| message.envelope.from.profile_id.as_ref() == Some(owner))
    }

    fn is_holder(&self, owner: &ProfileId, message_id: MessageId) -> bool {
        let person = self.people.get(owner);
        person.is_some_and(|person| person.entry(Msgbox::Inbox, message_id).is_some())
    }

    fn expect_version(&self, message_id: MessageId, expected: Option<i64>) -> Result<(), Refusal> {
        let message = self.message(message_id).ok_or(Refusal::NotFound)?;
        let current = message.envelope.version;
        match expected {
            Some(expected) if expected != current => {
                Err(Refusal::VersionMismatch { expected, current })
            }
            _ => Ok(()),
        }
    }

    /// The sender first: in a mailbox that holds a message twice, the copy in `sent` changes
    /// before the one in `inbox`.
    pub(super) fn places(&self, message_id: MessageId) -> Vec<(ProfileId, Msgbox)> {
        let envelope = &self.messages[&message_id].envelope;
        let sender = envelope.from.profile_id.iter();
        let sent = sender.map(|sender| (sender.clone(), Msgbox::Sent));
        let inboxes = envelope.to.iter().map(|to| (to.clone(), Msgbox::Inbox));
        sent.chain(inboxes).collect()
    }

    fn take_away(&mut self, message_id: MessageId, now: Millis) -> bool {
        if self.message(message_id).is_none() {
            return false;
        }
        for (owner, msgbox) in self.places(message_id) {
            self.person(&owner).lose(msgbox, message_id, now);
        }
        let message = self.messages.remove(&message_id);
        if let Some(mut message) = message.filter(|it| it.envelope.kind == MessageKind::Bulk) {
            self.happens(Turn::Recalled, &message.envelope, Audience::Everyone);
            message.content.encoded = Bytes::new();
            self.recalled.insert(message_id, message);
        }
        true
    }
}

fn check_letter(letter: &Letter, policy: &Policy) -> Result<(), Refusal> {
    let mut wrong = Violations::none();
    let sender = letter.from.profile_id.as_ref();
    if sender.is_some() && letter.to.len() > policy.max_recipients as usize {
        wrong.add("to", Reason::MaxRecipientsExceeded, "");
    }
    check_size(&letter.content, policy, &mut wrong);
    wrong.check().map_err(Refusal::Invalid)?;
    if !policy.allow_self_send && sender.is_some_and(|sender| letter.to.contains(sender)) {
        return Err(Refusal::NotAllowed);
    }
    Ok(())
}

pub(super) fn check_size(content: &Content, policy: &Policy, wrong: &mut Violations) {
    if content.encoded.len() > policy.max_content_bytes as usize {
        wrong.add("content", Reason::MessageTooLarge, "");
    }
}

fn envelope(
    letter: &Letter,
    to: Vec<ProfileId>,
    policy: &Policy,
    message_id: MessageId,
) -> Envelope {
    let send_ms = message_id.time_ms().expect("an id with a time");
    let lifetime_ms = letter.lifetime_ms.unwrap_or(policy.default_expiry_ms);
    Envelope {
        message_id,
        kind: match letter.from.profile_id {
            Some(_) => MessageKind::Regular,
            None => MessageKind::System,
        },
        from: letter.from.clone(),
        to,
        segment: None,
        notification: letter.notification.clone(),
        version: 1,
        modified: false,
        send_ms,
        update_ms: send_ms,
        expire_ms: expiry::expire_ms(send_ms, lifetime_ms),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("few")
}
