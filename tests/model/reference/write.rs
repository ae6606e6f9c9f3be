//! Effects of each action.

use bytes::Bytes;
use domain::bulk::MessageChange;
use domain::message::Envelope;
use domain::operation::{
    ClearMessages, DeleteEntries, DeleteForEveryone, DeleteMessage, DeleteMessages, EditMessage,
    MarkMessagesDelivered, MarkMessagesRead, NamedEntries, Revision, Sent, UpdateAppSettings,
    UpdateMessage,
};
use domain::{
    Audience, Content, LimitExceeded, Message, MessageId, MessageIdSource, MessageKind, Millis,
    Msgbox, Outcome, Policy, ProfileId, Refusal, expiry,
};

use super::mailbox::ReferenceMailbox;
use super::{ReferenceApp, ReferenceMessage, ReferenceResult};

impl ReferenceApp {
    pub(super) fn send(
        &mut self,
        policy: &Policy,
        message: &ReferenceMessage,
        ids: &dyn MessageIdSource,
        now: Millis,
    ) -> ReferenceResult {
        check_letter(message, policy)?;
        let mut to = message.to.clone();
        to.sort();
        to.dedup();
        let room = policy.max_box_messages as usize;
        let sender = message.draft.sender.profile_id.as_ref();
        let mut takers = to.clone();
        if sender.is_some() && !policy.allow_unknown_recipients {
            takers.retain(|recipient| self.mailboxes.contains_key(recipient));
            if takers.is_empty() {
                return Err(Refusal::RecipientsUnknown);
            }
        }
        takers.retain(|recipient| self.has_room(policy, sender, recipient));
        if takers.is_empty() {
            return Err(Refusal::BoxFull);
        }

        let message_id = ids.next(now);
        let envelope = envelope(message, to, policy, message_id);
        let (send_ms, expire_ms) = (envelope.send_ms, envelope.expire_ms);
        let blocks = self.blocks.clone();
        let is_apart = |taker: &ProfileId| {
            let pair = |one: &ProfileId, other: &ProfileId| (one.clone(), other.clone());
            sender.is_some_and(|sender| {
                blocks.contains(&pair(sender, taker)) || blocks.contains(&pair(taker, sender))
            })
        };
        for taker in takers.iter().filter(|taker| !is_apart(taker)) {
            let is_noted = self.is_crowded(policy, taker);
            let mailbox = self.mailbox(taker);
            if let Some(sender) = sender.filter(|sender| is_noted && *sender != taker) {
                mailbox.noted.insert(message_id, sender.clone());
            }
            mailbox.receive(Msgbox::Inbox, message_id, expire_ms, now);
        }
        if let Some(sender) = &message.draft.sender.profile_id {
            let mailbox = self.mailbox(sender);
            while mailbox.held(Msgbox::Sent).len() >= room {
                let oldest = mailbox.held(Msgbox::Sent).into_iter().min();
                mailbox.lose(Msgbox::Sent, oldest.expect("a full box"), now);
            }
            mailbox.receive(Msgbox::Sent, message_id, expire_ms, now);
        }
        let requested = number(envelope.to.len());
        let content = message.draft.content.clone();
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

    /// Returns whether an inbox takes a message of a user, or of the app.
    fn has_room(
        &mut self,
        policy: &Policy,
        sender: Option<&ProfileId>,
        recipient: &ProfileId,
    ) -> bool {
        let reserve = policy.max_box_messages * policy.app_reserve_percent / 100;
        let reserve = sender.map_or(0, |_| reserve);
        let is_crowded = self.is_crowded(policy, recipient);
        let mailbox = self.mailbox(recipient);
        if mailbox.held(Msgbox::Inbox).len() >= (policy.max_box_messages - reserve) as usize {
            return false;
        }
        let other = sender.filter(|sender| is_crowded && *sender != recipient);
        let max = policy.max_unread_per_sender;
        other.is_none_or(|sender| mailbox.unread_of(sender) < (max - max / 2) as usize)
    }

    /// Returns whether an inbox has so many unread messages that senders are noted.
    fn is_crowded(&mut self, policy: &Policy, recipient: &ProfileId) -> bool {
        let max = policy.max_unread_per_sender;
        let unread = self.mailbox(recipient).counts().inbox_unread;
        max > 0 && unread >= i64::from(max / 2)
    }

    pub(super) fn mark(&mut self, mark: &MarkMessagesRead, now: Millis) -> Outcome {
        let mut actual = 0;
        let NamedEntries { owner, msgbox, .. } = &mark.entries;
        for &message_id in mark.entries.message_ids() {
            let mailbox = self.mailbox(owner);
            let Some(entry) = mailbox.entry(*msgbox, message_id) else {
                continue;
            };
            actual += 1;
            if *msgbox == Msgbox::Inbox && entry.read_ms.is_some() != mark.read {
                mailbox.change(*msgbox, message_id, now, |entry| {
                    entry.read_ms = mark.read.then_some(entry.update_ms);
                });
                self.tally(message_id, |tally| {
                    tally.read += if mark.read { 1 } else { -1 };
                });
            }
        }
        Outcome::Changed(actual)
    }

    pub(super) fn mark_delivered(&mut self, mark: &MarkMessagesDelivered, now: Millis) -> Outcome {
        let delivered = mark.entries();
        let mailbox = self.mailbox(&delivered.owner);
        let mut actual = 0;
        for entry in &mut mailbox.entries {
            let is_meant = delivered.message_ids().contains(&entry.message_id);
            if entry.msgbox == Msgbox::Inbox && is_meant {
                entry.delivered_ms = entry.delivered_ms.or(Some(now));
                actual += 1;
            }
        }
        Outcome::Changed(actual)
    }

    pub(super) fn delete(&mut self, delete: &DeleteEntries, now: Millis) -> Outcome {
        let NamedEntries { owner, msgbox, .. } = &delete.0;
        let ids = delete.0.message_ids().iter();
        let lost = ids.filter(|id| self.give_up(owner, *msgbox, **id, now));
        Outcome::Changed(number(lost.count()))
    }

    pub(super) fn clear(&mut self, clear: &ClearMessages, now: Millis) -> Outcome {
        let mailbox = self.mailbox(&clear.owner);
        let mut held = mailbox.held(clear.msgbox);
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
        let lost = self.mailbox(owner).lose(msgbox, message_id, now);
        if lost && msgbox == Msgbox::Inbox {
            self.tally(message_id, |tally| tally.deleted += 1);
        }
        lost
    }

    pub(super) fn recall(
        &mut self,
        policy: &Policy,
        recall: &DeleteForEveryone,
        now: Millis,
    ) -> ReferenceResult {
        let mut mine = recall.message_ids().to_vec();
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

    pub(super) fn edit(
        &mut self,
        policy: &Policy,
        edit: &EditMessage,
        now: Millis,
    ) -> ReferenceResult {
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
        let update = UpdateMessage {
            message_id: edit.message_id,
            content: edit.content.clone(),
            expected_version: edit.expected_version,
        };
        self.update(policy, &update, now)
    }

    pub(super) fn update(
        &mut self,
        policy: &Policy,
        update: &UpdateMessage,
        now: Millis,
    ) -> ReferenceResult {
        let message_id = update.message_id;
        self.expect_version(message_id, update.expected_version)?;
        Refusal::if_exceeded(too_large(&update.content, policy))?;

        let message = self.messages.get_mut(&message_id).expect("it is there");
        message.content = update.content.clone();
        let envelope = &mut message.envelope;
        envelope.version += 1;
        envelope.modified = true;
        envelope.update_ms = now.not_before(envelope.update_ms);
        envelope.size_bytes = size(&update.content);
        let revision = Revision {
            message_id,
            version: envelope.version,
            update_ms: envelope.update_ms,
            digest: update.content.digest,
        };
        let envelope = envelope.clone();
        if envelope.kind == MessageKind::Bulk {
            self.happens(MessageChange::Updated, &envelope, Audience::Everyone);
        }
        for (owner, msgbox) in self.places(message_id) {
            let mailbox = self.mailbox(&owner);
            mailbox.change(msgbox, message_id, now, |entry| {
                entry.content_version = revision.version;
            });
        }
        Ok(Outcome::Revised(revision))
    }

    pub(super) fn remove_one(&mut self, remove: &DeleteMessage, now: Millis) -> ReferenceResult {
        self.expect_version(remove.message_id, remove.expected_version)?;
        self.take_away(remove.message_id, now);
        Ok(Outcome::Done)
    }

    pub(super) fn remove(&mut self, remove: &DeleteMessages, now: Millis) -> Outcome {
        let ids = remove.message_ids().iter();
        let removed = ids.filter(|id| self.take_away(**id, now)).count();
        Outcome::Changed(number(removed))
    }

    pub(super) fn configure(&mut self, configure: &UpdateAppSettings) -> ReferenceResult {
        let current = self.settings.version;
        if let Some(expected) = configure.expected_version
            && expected != current
        {
            return Err(Refusal::VersionMismatch { expected, current });
        }
        self.settings = configure.settings.clone();
        self.settings.version = current + 1;
        Ok(Outcome::SettingsUpdated(self.settings.clone()))
    }

    pub(super) fn mailbox(&mut self, owner: &ProfileId) -> &mut ReferenceMailbox {
        self.mailboxes.entry(owner.clone()).or_default()
    }

    fn is_sender(&self, owner: &ProfileId, message_id: MessageId) -> bool {
        let message = self.message(message_id);
        message.is_some_and(|message| message.envelope.sender.profile_id.as_ref() == Some(owner))
    }

    fn is_holder(&self, owner: &ProfileId, message_id: MessageId) -> bool {
        let mailbox = self.mailboxes.get(owner);
        mailbox.is_some_and(|mailbox| mailbox.entry(Msgbox::Inbox, message_id).is_some())
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

    /// The mailboxes that may hold a message, of those that there are.
    /// The sender first: in a mailbox that holds a message twice, the copy in `sent` changes
    /// before the one in `inbox`.
    pub(super) fn places(&self, message_id: MessageId) -> Vec<(ProfileId, Msgbox)> {
        let envelope = &self.messages[&message_id].envelope;
        let sender = envelope.sender.profile_id.iter();
        let sent = sender.map(|sender| (sender.clone(), Msgbox::Sent));
        let inboxes = envelope.to.iter().map(|to| (to.clone(), Msgbox::Inbox));
        let all = sent.chain(inboxes);
        all.filter(|(owner, _)| self.mailboxes.contains_key(owner))
            .collect()
    }

    fn take_away(&mut self, message_id: MessageId, now: Millis) -> bool {
        if self.message(message_id).is_none() {
            return false;
        }
        for (owner, msgbox) in self.places(message_id) {
            self.mailbox(&owner).lose(msgbox, message_id, now);
        }
        let message = self.messages.remove(&message_id);
        if let Some(mut message) = message.filter(|it| it.envelope.kind == MessageKind::Bulk) {
            self.happens(
                MessageChange::Recalled,
                &message.envelope,
                Audience::Everyone,
            );
            message.content.encoded = Bytes::new();
            message.envelope.size_bytes = 0;
            self.recalled.insert(message_id, message);
        }
        true
    }
}

fn check_letter(message: &ReferenceMessage, policy: &Policy) -> Result<(), Refusal> {
    let sender = message.draft.sender.profile_id.as_ref();
    let mut exceeded = Vec::new();
    let (named, max) = (message.to.len(), policy.max_recipients);
    if sender.is_some() && named > max as usize {
        exceeded.push(LimitExceeded::Recipients { named, max });
    }
    exceeded.extend(too_large(&message.draft.content, policy));
    let max_ms = policy.max_expiry_ms;
    let too_long = |lifetime_ms: &i64| sender.is_some() && *lifetime_ms > max_ms;
    let lifetime = message.draft.lifetime_ms.filter(too_long);
    exceeded.extend(lifetime.map(|lifetime_ms| LimitExceeded::Lifetime {
        lifetime_ms,
        max_ms,
    }));
    Refusal::if_exceeded(exceeded)?;
    if !policy.allow_self_send && sender.is_some_and(|sender| message.to.contains(sender)) {
        return Err(Refusal::NotAllowed);
    }
    Ok(())
}

pub(super) fn too_large(content: &Content, policy: &Policy) -> Option<LimitExceeded> {
    let (bytes, max) = (content.encoded.len(), policy.max_content_bytes);
    (bytes > max as usize).then_some(LimitExceeded::ContentBytes { bytes, max })
}

fn envelope(
    message: &ReferenceMessage,
    to: Vec<ProfileId>,
    policy: &Policy,
    message_id: MessageId,
) -> Envelope {
    let send_ms = message_id.time_ms().expect("an id with a time");
    let lifetime_ms = message
        .draft
        .lifetime_ms
        .unwrap_or(policy.default_expiry_ms);
    let is_of_user = message.draft.sender.profile_id.is_some();
    let max_ms = if is_of_user {
        policy.max_expiry_ms
    } else {
        i64::MAX
    };
    let lifetime_ms = lifetime_ms.min(max_ms);
    Envelope {
        message_id,
        kind: match message.draft.sender.profile_id {
            Some(_) => MessageKind::Regular,
            None => MessageKind::System,
        },
        sender: message.draft.sender.clone(),
        to,
        segment: None,
        notification: message.draft.notification.clone(),
        version: 1,
        modified: false,
        send_ms,
        update_ms: send_ms,
        expire_ms: expiry::expire_ms(send_ms, lifetime_ms),
        size_bytes: size(&message.draft.content),
    }
}

/// Size of a content.
pub(super) fn size(content: &Content) -> i64 {
    i64::try_from(content.encoded.len()).expect("small")
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("few")
}
