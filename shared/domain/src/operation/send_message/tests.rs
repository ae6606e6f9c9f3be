use super::*;
use crate::expiry;
use crate::id::MessageId;
use crate::limits::DAY_MS;
use crate::operation::{MarkMessagesRead, NamedEntries};
use crate::policy::Settings;
use crate::sender::Sender;
use crate::testing::{MemoryStore, from_app, from_user, lasting, profile, profiles, sent_at, text};
use crate::time::Millis;

fn refusal(store: &mut MemoryStore, send: SendMessage) -> Refusal {
    store.execute(90, send).expect_err("a refusal")
}

#[test]
fn every_recipient_counts_once_in_bytewise_order() {
    let mut store = MemoryStore::default();
    let deliver = from_user("ann", ["cid", "Zoe", "bob", "cid"]);
    assert_eq!(
        store.execute(10, deliver),
        Ok(Sent {
            message_id: sent_at(10),
            requested: 3,
            actual: 3,
            send_ms: Millis(10),
            expire_ms: expiry::expire_ms(Millis(10), 30 * DAY_MS),
        })
    );
    let envelope = &store.messages[&sent_at(10)];
    assert_eq!(envelope.to, profiles(["Zoe", "bob", "cid"]));
    assert_eq!((envelope.version, envelope.modified), (1, false));
    assert_eq!(envelope.kind, MessageKind::Regular);
    assert_eq!(store.counts("ann"), (0, 0, 1));
    for recipient in ["Zoe", "bob", "cid"] {
        assert_eq!(store.counts(recipient), (1, 1, 0));
    }
}

#[test]
fn a_message_of_the_app_is_in_nobodys_sent() {
    let mut store = MemoryStore::default();
    let message_id = store.send(10, from_app(["bob"]));
    assert_eq!(store.messages[&message_id].kind, MessageKind::System);
    assert_eq!(store.entries.len(), 1);
    assert_eq!(store.counts("bob"), (1, 1, 0));
}

#[test]
fn a_message_to_oneself_is_in_both_boxes() {
    let mut store = MemoryStore::default();
    let message_id = store.send(10, from_user("ann", ["ann"]));
    assert_eq!(store.counts("ann"), (1, 1, 1));
    let numbers = [Msgbox::Inbox, Msgbox::Sent].map(|msgbox| {
        store
            .entry("ann", msgbox, message_id)
            .map(|entry| entry.seq)
    });
    assert_eq!(numbers, [Some(1), Some(2)]);
}

#[test]
fn policy_decides_about_messages_to_oneself_but_not_about_those_of_the_app() {
    let mut store = MemoryStore::default();
    store.policy.allow_self_send = false;
    let to_both = from_user("ann", ["ann", "bob"]);
    assert_eq!(refusal(&mut store, to_both), Refusal::NotAllowed);
    store.send(10, from_user("ann", ["bob"]));
    store.send(11, from_app(["ann"]));
}

#[test]
fn an_apps_own_settings_win_over_the_defaults() {
    let mut store = MemoryStore::default();
    store.settings.allow_self_send = Some(false);
    let to_self = from_user("ann", ["ann"]);
    assert_eq!(refusal(&mut store, to_self.clone()), Refusal::NotAllowed);
    store.settings = Settings::default();
    store.send(10, to_self);
}

#[test]
fn recipients_are_limited_as_they_were_named_for_users_only() {
    let mut store = MemoryStore::default();
    store.policy.max_recipients = 2;
    store.send(10, from_user("ann", ["bob", "cid"]));
    let thrice = from_user("ann", ["bob", "bob", "bob"]);
    let recipients = LimitExceeded::Recipients { named: 3, max: 2 };
    let expected = Refusal::LimitsExceeded(vec![recipients]);
    assert_eq!(refusal(&mut store, thrice), expected);
    store.send(11, from_app(["ann", "bob", "cid"]));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut store = MemoryStore::default();
    store.policy.max_recipients = 1;
    store.policy.max_content_bytes = 4;
    let expected = Refusal::LimitsExceeded(vec![
        LimitExceeded::Recipients { named: 2, max: 1 },
        LimitExceeded::ContentBytes { bytes: 5, max: 4 },
    ]);
    let deliver = from_user("ann", ["bob", "cid"]);
    assert_eq!(refusal(&mut store, deliver), expected);
    let draft = Draft::new(Sender::default(), text("1234"));
    let four = SendMessage::new(draft, profiles(["bob"]));
    store.send(10, four);
}

#[test]
fn a_full_inbox_is_skipped_and_other_recipients_get_the_message() {
    let mut store = MemoryStore::default();
    store.policy.max_box_messages = 1;
    store.send(10, from_user("ann", ["bob"]));
    let both = from_user("cid", ["bob", "dan"]);
    let outcome = store.execute(20, both).expect("a message is sent");
    assert_eq!((outcome.requested, outcome.actual), (2, 1));
    assert_eq!(store.entry("bob", Msgbox::Inbox, sent_at(20)), None);
    assert_eq!(store.counts("bob"), (1, 1, 0));
    assert_eq!(store.counts("dan"), (1, 1, 0));
    let named = &store.messages[&sent_at(20)].to;
    assert_eq!(named, &profiles(["bob", "dan"]), "who it is to stays");
}

#[test]
fn a_message_that_no_inbox_takes_is_refused_and_costs_the_sender_nothing() {
    let mut store = MemoryStore::default();
    store.policy.max_box_messages = 1;
    let first = store.send(10, from_user("ann", ["bob"]));
    store.send(20, from_app(["cid"]));
    let deliver = from_user("ann", ["bob", "cid"]);
    assert_eq!(refusal(&mut store, deliver), Refusal::BoxFull);
    assert!(store.entry("ann", Msgbox::Sent, first).is_some());
}

#[test]
fn the_reserve_of_an_inbox_takes_messages_of_the_app_only() {
    let mut store = MemoryStore::default();
    store.policy.max_box_messages = 10;
    store.policy.app_reserve_percent = 20;
    for now in 0..8 {
        store.send(now, from_user("ann", ["bob"]));
    }
    let ninth = from_user("cid", ["bob"]);
    assert_eq!(refusal(&mut store, ninth), Refusal::BoxFull);
    for now in 20..22 {
        store.send(now, from_app(["bob"]));
    }
    assert_eq!(refusal(&mut store, from_app(["bob"])), Refusal::BoxFull);
    assert_eq!(store.counts("bob"), (10, 10, 0));
}

#[test]
fn a_sender_has_as_many_unread_messages_in_an_inbox_as_the_policy_permits() {
    let mut store = MemoryStore::default();
    store.policy.max_unread_per_sender = 5;
    let first = store.send(1, from_user("eve", ["bob"]));
    for now in 2..6 {
        store.send(now, from_user("eve", ["bob"]));
    }
    let sixth = || from_user("eve", ["bob"]);
    assert_eq!(refusal(&mut store, sixth()), Refusal::BoxFull);
    let both = store.execute(10, from_user("eve", ["bob", "cid"]));
    assert_eq!(both.expect("cid has room").actual, 1);
    for now in 20..23 {
        store.send(now, from_user("ann", ["bob"]));
    }
    let mark = |ids: &[MessageId]| MarkMessagesRead {
        entries: NamedEntries::new(profile("bob"), Msgbox::Inbox, ids.to_vec()),
        read: true,
    };
    store
        .execute(30, mark(&[sent_at(5)]))
        .expect("it is marked");
    store.send(31, sixth());
    assert_eq!(refusal(&mut store, sixth()), Refusal::BoxFull);
    let all: Vec<MessageId> = (2..5).map(sent_at).chain([first]).collect();
    store.execute(40, mark(&all)).expect("they are marked");
    assert_eq!(
        refusal(&mut store, from_user("ann", ["bob"])),
        Refusal::BoxFull
    );
}

#[test]
fn no_number_of_unread_messages_is_too_large_without_a_limit_or_to_oneself() {
    let mut store = MemoryStore::default();
    store.policy.max_unread_per_sender = 1;
    for now in 1..4 {
        store.send(now, from_user("ann", ["ann"]));
        store.send(now + 10, from_app(["ann"]));
    }
    store.policy.max_unread_per_sender = 0;
    for now in 20..23 {
        store.send(now, from_user("eve", ["ann"]));
    }
}

#[test]
fn a_lifetime_beyond_the_policy_is_refused_to_users_only() {
    let mut store = MemoryStore::default();
    store.policy.max_expiry_ms = DAY_MS;
    store.send(1, lasting(from_user("ann", ["bob"]), DAY_MS));
    store.send(2, lasting(from_app(["bob"]), DAY_MS + 1));
    let exceeded = LimitExceeded::Lifetime {
        lifetime_ms: DAY_MS + 1,
        max_ms: DAY_MS,
    };
    let too_long = lasting(from_user("ann", ["bob"]), DAY_MS + 1);
    let expected = Refusal::LimitsExceeded(vec![exceeded]);
    assert_eq!(refusal(&mut store, too_long), expected);
    let id = store.send(3, from_user("ann", ["bob"]));
    let by_default = expiry::expire_ms(Millis(3), DAY_MS);
    assert_eq!(store.messages[&id].expire_ms, by_default);
}

#[test]
fn a_full_sent_forgets_its_oldest() {
    let mut store = MemoryStore::default();
    store.policy.max_box_messages = 2;
    let ids = [10, 20, 30].map(|now| {
        let to = if now == 30 { ["cid"] } else { ["bob"] };
        store.send(now, from_user("ann", to))
    });
    let held = ids.map(|id| store.entry("ann", Msgbox::Sent, id).is_some());
    assert_eq!(held, [false, true, true]);
    assert_eq!(store.counts("ann"), (0, 0, 2));
    assert_eq!(store.counts("bob"), (2, 2, 0), "recipients keep theirs");
    assert_eq!(store.tombstones.len(), 1);
    assert!(store.messages.contains_key(&ids[0]));
}

#[test]
fn a_sent_that_became_too_full_loses_all_that_is_too_much() {
    let mut store = MemoryStore::default();
    for now in 10..15 {
        store.send(now, from_user("ann", ["bob"]));
    }
    store.policy.max_box_messages = 2;
    let last = store.send(20, from_user("ann", ["cid"]));
    assert_eq!(store.counts("ann"), (0, 0, 2));
    assert!(store.entry("ann", Msgbox::Sent, last).is_some());
    assert!(store.entry("ann", Msgbox::Sent, sent_at(14)).is_some());
}

#[test]
fn a_message_is_dated_by_its_id_and_lives_as_long_as_it_was_told() {
    let mut store = MemoryStore::default();
    let deliver = lasting(from_app(["bob"]), 5);
    store.next_id = Some(sent_at(10));
    let outcome = store.execute(7, deliver).expect("a message is sent");
    assert_eq!(
        (outcome.send_ms, outcome.expire_ms),
        (Millis(10), Millis(15))
    );
    let entry = store.entry("bob", Msgbox::Inbox, sent_at(10));
    let times = entry.map(|entry| (entry.create_ms, entry.expire_ms));
    assert_eq!(times, Some((Millis(7), Millis(15))));
}

#[test]
fn the_footprint_holds_all_mailboxes_and_the_senders_overflow() {
    let footprint = from_user("ann", ["cid", "bob"]).footprint();
    let owners: Vec<_> = footprint.owners().cloned().collect();
    assert_eq!(owners, profiles(["ann", "bob", "cid"]));
    let overflow = EntryRange::Overflow(profile("ann"), Msgbox::Sent);
    assert_eq!(footprint.entries, [overflow]);
    assert_eq!(from_app(["bob"]).footprint().entries, []);
}
