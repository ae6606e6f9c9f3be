//! Bulk messages and expiry in a mailbox that settles.

use super::*;
use crate::message::Draft;
use crate::operation::{
    Action, Apply, ClearMessages, CreateMailbox, DeleteEntries, DeleteMessages, MarkMessagesRead,
    Outcome, SendBulk, SettleMailbox, UpdateMessage,
};
use crate::sender::Sender;
use crate::testing::{Shelf, from_app, from_user, lasting, profile, sent_at, text};

fn bulk(shelf: &mut Shelf, now: u64, audience: Audience, lifetime_ms: i64) -> MessageId {
    let send = SendBulk {
        draft: Draft {
            lifetime_ms: Some(lifetime_ms),
            ..Draft::new(Sender::default(), text("to all"))
        },
        audience,
    };
    let outcome = shelf
        .act(now.cast_signed(), send)
        .expect("a message is sent");
    outcome.message_id
}

fn to_all(shelf: &mut Shelf, now: u64) -> MessageId {
    bulk(shelf, now, Audience::Existing, 1_000)
}

fn settle(shelf: &mut Shelf, now: i64, owner: &str) {
    let action = Action::SettleMailbox(SettleMailbox::from(profile(owner)));
    assert_eq!(shelf.act(now, action), Ok(Outcome::Done));
}

fn update(shelf: &mut Shelf, now: i64, message_id: MessageId) {
    let action = Action::UpdateMessage(UpdateMessage {
        message_id,
        content: text("better"),
        expected_version: None,
    });
    shelf.act(now, action).expect("updated");
}

fn recall(shelf: &mut Shelf, now: i64, message_id: MessageId) {
    let message_ids = vec![message_id];
    let verdict = shelf.act(now, Action::DeleteMessages(DeleteMessages { message_ids }));
    assert_eq!(verdict, Ok(Outcome::Changed(1)));
}

/// Applies an action to a ledger that has read no mailbox.
fn without_mailboxes(shelf: &Shelf, now: i64, action: &impl Apply) -> crate::ledger::Changes {
    let last = shelf.events.last().map_or(0, |event| event.bulk_no);
    let mut ledger = shelf.empty_ledger(now).with_bulk_head(last);
    action.apply(&mut ledger).expect("a message is sent");
    ledger.into_changes().expect("all rows were read")
}

#[test]
fn sending_to_everyone_writes_a_message_and_an_event() {
    let shelf = Shelf::of(["ann", "bob"]);
    let changes = without_mailboxes(
        &shelf,
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
fn a_mailbox_takes_it_once_as_an_entry_like_any_other() {
    let mut shelf = Shelf::of(["ann"]);
    let message_id = to_all(&mut shelf, 10);
    settle(&mut shelf, 50, "ann");
    settle(&mut shelf, 60, "ann");
    assert_eq!(shelf.counts("ann"), (1, 1, 0));
    let entry = shelf
        .entry("ann", Msgbox::Inbox, message_id)
        .expect("an entry");
    assert_eq!(
        (entry.create_ms, entry.update_ms),
        (Millis(10), Millis(50)),
        "it pages where its id sorts"
    );
    assert_eq!((entry.seq, entry.version, entry.content_version), (1, 1, 1));
    assert_eq!(shelf.mailbox("ann").next_expiry_ms, Some(Millis(1_010)));
    assert_eq!(shelf.tallies[&message_id].settled, 1);
}

#[test]
fn a_new_mailbox_takes_only_live_bulk_messages_of_audience_everyone() {
    let mut shelf = Shelf::of(["ann"]);
    to_all(&mut shelf, 10);
    let lasting = bulk(&mut shelf, 11, Audience::Everyone, 1_000);
    bulk(&mut shelf, 12, Audience::Everyone, 20);
    let open = Action::CreateMailbox(CreateMailbox {
        owner: profile("bob"),
    });
    shelf.act(50, open).expect("begun");
    assert_eq!(shelf.counts("bob"), (1, 1, 0));
    assert!(shelf.entry("bob", Msgbox::Inbox, lasting).is_some());
    let next = to_all(&mut shelf, 60);
    settle(&mut shelf, 70, "bob");
    assert!(shelf.entry("bob", Msgbox::Inbox, next).is_some());
}

#[test]
fn an_arrival_that_was_recalled_before_it_was_taken_never_appears() {
    let mut shelf = Shelf::of(["ann"]);
    let mut ledger = shelf.ledger(10);
    let send = SendBulk {
        draft: Draft {
            lifetime_ms: None,
            ..Draft::new(Sender::default(), text("to all"))
        },
        audience: Audience::Existing,
    };
    send.apply(&mut ledger).expect("a message is sent");
    shelf.keep(ledger);
    shelf.messages.remove(&sent_at(10));
    settle(&mut shelf, 20, "ann");
    assert_eq!(shelf.counts("ann"), (0, 0, 0));
    assert_eq!(shelf.mailbox("ann").seq, 0);
    assert_eq!(shelf.mailbox("ann").bulk_cursor, 1);
}

#[test]
fn several_updates_settle_as_one_change() {
    let mut shelf = Shelf::of(["ann"]);
    let message_id = to_all(&mut shelf, 10);
    settle(&mut shelf, 20, "ann");
    let mut unseen = shelf.mailboxes.clone();
    for now in [30, 31] {
        update(&mut shelf, now, message_id);
    }
    // As if the mailbox had not been there in between.
    let entry_of = |shelf: &Shelf| {
        shelf
            .entry("ann", Msgbox::Inbox, message_id)
            .cloned()
            .expect("an entry")
    };
    std::mem::swap(&mut unseen, &mut shelf.mailboxes);
    let mut before = entry_of(&shelf);
    (before.seq, before.version, before.content_version) = (1, 1, 1);
    let mailbox_id = shelf.mailbox("ann").mailbox_id;
    shelf
        .entries
        .insert((mailbox_id, Msgbox::Inbox, message_id), before);
    settle(&mut shelf, 40, "ann");
    let entry = entry_of(&shelf);
    assert_eq!((entry.seq, entry.version, entry.content_version), (2, 2, 3));
}

#[test]
fn a_recall_removes_the_entry_from_every_holder() {
    let mut shelf = Shelf::of(["ann"]);
    let message_id = to_all(&mut shelf, 10);
    settle(&mut shelf, 20, "ann");
    recall(&mut shelf, 30, message_id);
    assert!(shelf.recalled.contains(&message_id));
    settle(&mut shelf, 40, "ann");
    assert_eq!(shelf.counts("ann"), (0, 0, 0));
    assert_eq!(shelf.tombstones.len(), 1);
    let tally = Tally {
        settled: 1,
        ..Tally::default()
    };
    assert_eq!(
        shelf.tallies[&message_id], tally,
        "its owner deleted nothing"
    );
}

#[test]
fn tallies_follow_reads_and_deletions() {
    let mut shelf = Shelf::of(["ann", "bob", "cid"]);
    let message_id = to_all(&mut shelf, 10);
    let mark = |owner, read| {
        Action::MarkMessagesRead(MarkMessagesRead {
            owner: profile(owner),
            msgbox: Msgbox::Inbox,
            message_ids: vec![message_id],
            read,
        })
    };
    for (now, action) in [
        (20, mark("ann", true)),
        (21, mark("ann", true)),
        (22, mark("bob", true)),
        (23, mark("bob", false)),
    ] {
        shelf.act(now, action).expect("marked");
    }
    let delete = Action::DeleteEntries(DeleteEntries {
        owner: profile("ann"),
        msgbox: Msgbox::Inbox,
        message_ids: vec![message_id],
    });
    let clear = Action::ClearMessages(ClearMessages {
        owner: profile("cid"),
        msgbox: Msgbox::Inbox,
    });
    shelf.act(30, delete).expect("deleted");
    shelf.act(31, clear).expect("cleared");
    let tally = Tally {
        settled: 3,
        read: 1,
        deleted: 2,
    };
    assert_eq!(shelf.tallies[&message_id], tally);
}

#[test]
fn a_full_inbox_takes_no_bulk_message_until_an_expiry_makes_room() {
    let mut shelf = Shelf::of(["ann", "bob"]);
    shelf.policy.max_box_messages = 1;
    shelf.send(10, lasting(from_app(["ann"]), 1_000));
    shelf.send(11, lasting(from_app(["bob"]), 20));
    let message_id = to_all(&mut shelf, 40);
    for owner in ["ann", "bob"] {
        settle(&mut shelf, 50, owner);
        assert_eq!(shelf.counts(owner), (1, 1, 0));
    }
    assert_eq!(shelf.entry("ann", Msgbox::Inbox, message_id), None);
    assert!(shelf.entry("bob", Msgbox::Inbox, message_id).is_some());
    assert_eq!(shelf.tallies[&message_id].settled, 1);
}

#[test]
fn expired_entries_leave_both_boxes_and_the_next_expiry_is_known() {
    let mut shelf = Shelf::of(["ann"]);
    let short = shelf.send(10, lasting(from_user("ann", ["ann"]), 20));
    let long = shelf.send(11, lasting(from_user("ann", ["ann"]), 90));
    settle(&mut shelf, 29, "ann");
    assert_eq!(shelf.counts("ann"), (2, 2, 2));
    settle(&mut shelf, 30, "ann");
    assert_eq!(shelf.counts("ann"), (1, 1, 1));
    for msgbox in Msgbox::ALL {
        assert_eq!(shelf.entry("ann", msgbox, short), None);
        assert!(shelf.entry("ann", msgbox, long).is_some());
    }
    assert_eq!(shelf.mailbox("ann").next_expiry_ms, Some(Millis(101)));
    assert_eq!(shelf.tombstones.len(), 2);
    settle(&mut shelf, 101, "ann");
    assert_eq!(shelf.mailbox("ann").next_expiry_ms, None);
    assert_eq!(shelf.counts("ann"), (0, 0, 0));
}

#[test]
fn a_mailbox_where_nothing_is_due_is_left_alone() {
    let mut shelf = Shelf::of(["ann"]);
    shelf.send(10, from_app(["ann"]));
    let mut ledger = shelf.ledger(20);
    assert_eq!(ledger.settle(), 0);
    assert_eq!(ledger.into_changes(), Ok(crate::ledger::Changes::default()));
}
