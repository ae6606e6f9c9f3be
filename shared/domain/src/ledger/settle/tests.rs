//! Bulk messages and expiry in settled mailboxes.

use super::*;
use crate::message::Draft;
use crate::operation::{
    Action, Apply, ClearMessages, CreateMailbox, DeleteEntries, DeleteMessages, MarkMessagesRead,
    NamedEntries, Outcome, SendBulk, SettleMailbox, UpdateMessage,
};
use crate::sender::Sender;
use crate::testing::{MemoryStore, from_app, from_user, lasting, profile, sent_at, text};

fn send_bulk_to(
    store: &mut MemoryStore,
    now: u64,
    audience: Audience,
    lifetime_ms: i64,
) -> MessageId {
    let send = SendBulk {
        draft: Draft {
            lifetime_ms: Some(lifetime_ms),
            ..Draft::new(Sender::default(), text("to all"))
        },
        audience,
    };
    let outcome = store
        .execute(now.cast_signed(), send)
        .expect("a message is sent");
    outcome.message_id
}

fn send_bulk(store: &mut MemoryStore, now: u64) -> MessageId {
    send_bulk_to(store, now, Audience::Existing, 1_000)
}

fn settle(store: &mut MemoryStore, now: i64, owner: &str) {
    let action = Action::SettleMailbox(SettleMailbox::from(profile(owner)));
    assert_eq!(store.execute(now, action), Ok(Outcome::Done));
}

fn update(store: &mut MemoryStore, now: i64, message_id: MessageId) {
    let action = Action::UpdateMessage(UpdateMessage {
        message_id,
        content: text("better"),
        expected_version: None,
    });
    store.execute(now, action).expect("updated");
}

fn recall(store: &mut MemoryStore, now: i64, message_id: MessageId) {
    let message_ids = vec![message_id];
    let verdict = store.execute(
        now,
        Action::DeleteMessages(DeleteMessages::new(message_ids)),
    );
    assert_eq!(verdict, Ok(Outcome::Changed(1)));
}

/// Applies an action to a ledger without mailboxes.
fn without_mailboxes(store: &MemoryStore, now: i64, action: &impl Apply) -> crate::ledger::Changes {
    let last = store.events.last().map_or(0, |event| event.bulk_no);
    let mut ledger = store.empty_ledger(now).with_bulk_head(last);
    action.apply(&mut ledger).expect("a message is sent");
    ledger.into_changes().expect("all rows were read")
}

#[test]
fn a_mailbox_takes_the_part_of_the_events_that_was_read() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    for now in [10, 11, 12] {
        send_bulk(&mut store, now);
    }
    let (ann, bob) = (profile("ann"), profile("bob"));
    store.mailboxes.get_mut(&bob).expect("bob").bulk_cursor = 4;
    // The last send has settled both; a fourth event was not read.
    let mut ledger = store.ledger(20).with_bulk_head(4);
    ledger.read_pending_part(2, 3);
    assert_eq!(ledger.settle(), 1);
    assert!(!ledger.is_settled());
    assert!(!ledger.is_mailbox_settled(&ann));
    assert!(ledger.is_mailbox_settled(&bob));
    let mailbox = ledger.mailbox(&ann).expect("a mailbox");
    assert_eq!((mailbox.bulk_cursor, mailbox.counts.inbox_total), (3, 3));
}

#[test]
fn a_bulk_send_writes_one_message_and_one_event() {
    let store = MemoryStore::of(["ann", "bob"]);
    let changes = without_mailboxes(
        &store,
        10,
        &SendBulk {
            draft: Draft {
                lifetime_ms: Some(5),
                ..Draft::new(Sender::default(), text("to all"))
            },
            audience: Audience::Everyone,
        },
    );
    let event = BulkEvent {
        bulk_no: 1,
        change: MessageChange::Sent,
        message_id: sent_at(10),
        audience: Audience::Everyone,
        expire_ms: Millis(15),
    };
    assert_eq!(changes.bulk_events, [event]);
    assert_eq!(changes.new_messages.len(), 1);
    assert_eq!(changes.new_entries, []);
    assert_eq!(changes.mailboxes, []);
}

#[test]
fn a_mailbox_takes_a_bulk_message_once() {
    let mut store = MemoryStore::of(["ann"]);
    let message_id = send_bulk(&mut store, 10);
    settle(&mut store, 50, "ann");
    settle(&mut store, 60, "ann");
    assert_eq!(store.counts("ann"), (1, 1, 0));
    let entry = store
        .entry("ann", Msgbox::Inbox, message_id)
        .expect("an entry");
    assert_eq!(
        (entry.create_ms, entry.update_ms),
        (Millis(10), Millis(50)),
        "its place in pages is that of its id"
    );
    assert_eq!((entry.seq, entry.version, entry.content_version), (1, 1, 1));
    assert_eq!(store.mailbox("ann").next_expiry_ms, Some(Millis(1_010)));
    assert_eq!(store.tallies[&message_id].settled, 1);
}

#[test]
fn a_new_mailbox_takes_only_live_bulk_messages_of_audience_everyone() {
    let mut store = MemoryStore::of(["ann"]);
    send_bulk(&mut store, 10);
    let lasting = send_bulk_to(&mut store, 11, Audience::Everyone, 1_000);
    send_bulk_to(&mut store, 12, Audience::Everyone, 20);
    let create = Action::CreateMailbox(CreateMailbox {
        owner: profile("bob"),
    });
    store.execute(50, create).expect("created");
    assert_eq!(store.counts("bob"), (1, 1, 0));
    assert!(store.entry("bob", Msgbox::Inbox, lasting).is_some());
    let next = send_bulk(&mut store, 60);
    settle(&mut store, 70, "bob");
    assert!(store.entry("bob", Msgbox::Inbox, next).is_some());
}

#[test]
fn a_bulk_message_recalled_before_settling_never_appears() {
    let mut store = MemoryStore::of(["ann"]);
    let mut ledger = store.ledger(10);
    let send = SendBulk {
        draft: Draft {
            lifetime_ms: None,
            ..Draft::new(Sender::default(), text("to all"))
        },
        audience: Audience::Existing,
    };
    send.apply(&mut ledger).expect("a message is sent");
    store.write(ledger);
    store.messages.remove(&sent_at(10));
    settle(&mut store, 20, "ann");
    assert_eq!(store.counts("ann"), (0, 0, 0));
    assert_eq!(store.mailbox("ann").seq, 0);
    assert_eq!(store.mailbox("ann").bulk_cursor, 1);
}

#[test]
fn several_updates_settle_as_one_change() {
    let mut store = MemoryStore::of(["ann"]);
    let message_id = send_bulk(&mut store, 10);
    settle(&mut store, 20, "ann");
    let mut mailboxes = store.mailboxes.clone();
    for now in [30, 31] {
        update(&mut store, now, message_id);
    }
    // Puts the mailbox and its entry back to before the updates.
    let entry_of = |store: &MemoryStore| {
        store
            .entry("ann", Msgbox::Inbox, message_id)
            .cloned()
            .expect("an entry")
    };
    std::mem::swap(&mut mailboxes, &mut store.mailboxes);
    let mut before = entry_of(&store);
    (before.seq, before.version, before.content_version) = (1, 1, 1);
    let mailbox_id = store.mailbox("ann").mailbox_id;
    store
        .entries
        .insert((mailbox_id, Msgbox::Inbox, message_id), before);
    settle(&mut store, 40, "ann");
    let entry = entry_of(&store);
    assert_eq!((entry.seq, entry.version, entry.content_version), (2, 2, 3));
}

#[test]
fn a_recall_removes_the_entry_from_every_holder() {
    let mut store = MemoryStore::of(["ann"]);
    let message_id = send_bulk(&mut store, 10);
    settle(&mut store, 20, "ann");
    recall(&mut store, 30, message_id);
    assert!(store.recalled.contains(&message_id));
    settle(&mut store, 40, "ann");
    assert_eq!(store.counts("ann"), (0, 0, 0));
    assert_eq!(store.tombstones.len(), 1);
    let tally = Tally {
        settled: 1,
        ..Tally::default()
    };
    assert_eq!(
        store.tallies[&message_id], tally,
        "a recall is no deletion by the owner"
    );
}

#[test]
fn tallies_follow_reads_and_deletions() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let message_id = send_bulk(&mut store, 10);
    let mark = |owner, read| {
        Action::MarkMessagesRead(MarkMessagesRead {
            entries: NamedEntries::new(profile(owner), Msgbox::Inbox, vec![message_id]),
            read,
        })
    };
    for (now, action) in [
        (20, mark("ann", true)),
        (21, mark("ann", true)),
        (22, mark("bob", true)),
        (23, mark("bob", false)),
    ] {
        store.execute(now, action).expect("marked");
    }
    let delete = Action::DeleteEntries(DeleteEntries(NamedEntries::new(
        profile("ann"),
        Msgbox::Inbox,
        vec![message_id],
    )));
    let clear = Action::ClearMessages(ClearMessages::new(profile("cid"), Msgbox::Inbox));
    store.execute(30, delete).expect("deleted");
    store.execute(31, clear).expect("cleared");
    let tally = Tally {
        settled: 3,
        read: 1,
        deleted: 2,
    };
    assert_eq!(store.tallies[&message_id], tally);
}

#[test]
fn a_full_inbox_takes_no_bulk_message_until_an_expiry_makes_room() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    store.policy.max_box_messages = 1;
    store.send(10, lasting(from_app(["ann"]), 1_000));
    store.send(11, lasting(from_app(["bob"]), 20));
    let message_id = send_bulk(&mut store, 40);
    for owner in ["ann", "bob"] {
        settle(&mut store, 50, owner);
        assert_eq!(store.counts(owner), (1, 1, 0));
    }
    assert_eq!(store.entry("ann", Msgbox::Inbox, message_id), None);
    assert!(store.entry("bob", Msgbox::Inbox, message_id).is_some());
    assert_eq!(store.tallies[&message_id].settled, 1);
}

#[test]
fn settling_removes_expired_entries_and_updates_the_next_expiry() {
    let mut store = MemoryStore::of(["ann"]);
    let short = store.send(10, lasting(from_user("ann", ["ann"]), 20));
    let long = store.send(11, lasting(from_user("ann", ["ann"]), 90));
    settle(&mut store, 29, "ann");
    assert_eq!(store.counts("ann"), (2, 2, 2));
    settle(&mut store, 30, "ann");
    assert_eq!(store.counts("ann"), (1, 1, 1));
    for msgbox in Msgbox::ALL {
        assert_eq!(store.entry("ann", msgbox, short), None);
        assert!(store.entry("ann", msgbox, long).is_some());
    }
    assert_eq!(store.mailbox("ann").next_expiry_ms, Some(Millis(101)));
    assert_eq!(store.tombstones.len(), 2);
    settle(&mut store, 101, "ann");
    assert_eq!(store.mailbox("ann").next_expiry_ms, None);
    assert_eq!(store.counts("ann"), (0, 0, 0));
}

#[test]
fn settling_changes_no_mailbox_that_is_not_due() {
    let mut store = MemoryStore::of(["ann"]);
    store.send(10, from_app(["ann"]));
    let mut ledger = store.ledger(20);
    assert_eq!(ledger.settle(), 0);
    assert_eq!(ledger.into_changes(), Ok(crate::ledger::Changes::default()));
}
