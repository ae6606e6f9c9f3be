//! Counters, numbers, times and versions of a ledger.

use super::*;
use crate::id::ProfileId;
use crate::mailbox::Msgbox;
use crate::operation::{Apply, EditMessage, MarkMessagesRead, NamedEntries};
use crate::testing::{MemoryStore, from_user, lasting, profile, sent_at, text};

const FOREVER: Millis = Millis(i64::MAX);

fn new_entry(msgbox: Msgbox, message_id: MessageId) -> NewEntry {
    NewEntry {
        msgbox,
        message_id,
        content_version: 1,
        expire_ms: FOREVER,
        sender_id: None,
    }
}

#[test]
fn counters_follow_every_change_of_an_entry() {
    let store = MemoryStore::of(["ann"]);
    let (ann, one, two) = (profile("ann"), sent_at(1), sent_at(2));
    let mut ledger = store.ledger(10);
    let counts = |ledger: &Ledger| {
        let counts = ledger.mailbox(&ann).expect("a mailbox").counts;
        (counts.inbox_total, counts.inbox_unread, counts.sent_total)
    };
    ledger.add_entry(&ann, new_entry(Msgbox::Inbox, one));
    ledger.add_entry(&ann, new_entry(Msgbox::Inbox, two));
    assert_eq!(counts(&ledger), (2, 2, 0));
    ledger.add_entry(&ann, new_entry(Msgbox::Sent, one));
    assert_eq!(counts(&ledger), (2, 2, 1));
    assert!(ledger.mark_entry(&ann, Msgbox::Inbox, one, true));
    assert_eq!(counts(&ledger), (2, 1, 1));
    assert!(ledger.remove_entry(&ann, Msgbox::Inbox, one));
    assert_eq!(counts(&ledger), (1, 1, 1), "a read entry is removed");
    assert!(ledger.remove_entry(&ann, Msgbox::Inbox, two));
    assert_eq!(counts(&ledger), (0, 0, 1), "an unread entry is removed");
    assert!(ledger.remove_entry(&ann, Msgbox::Sent, one));
    assert_eq!(counts(&ledger), (0, 0, 0));
}

#[test]
fn missing_entries_are_not_counted() {
    let store = MemoryStore::of(["ann"]);
    let (ann, one) = (profile("ann"), sent_at(1));
    let mut ledger = store.ledger(10);
    assert!(!ledger.remove_entry(&ann, Msgbox::Inbox, one));
    assert!(!ledger.mark_entry(&ann, Msgbox::Inbox, one, true));
    assert!(!ledger.revise_message(one, text("new")));
    assert!(!ledger.remove_message(one));
    assert_eq!(ledger.into_changes(), Ok(Changes::default()));
}

#[test]
fn removing_an_entry_twice_counts_once() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(10, from_user("ann", ["bob"]));
    let mut ledger = store.ledger(20);
    assert!(ledger.remove_entry(&profile("bob"), Msgbox::Inbox, sent));
    assert!(!ledger.remove_entry(&profile("bob"), Msgbox::Inbox, sent));
    let changes = store.write(ledger);
    assert_eq!(changes.tombstones.len(), 1);
    assert_eq!(store.counts("bob"), (0, 0, 0));
}

#[test]
fn marking_a_read_entry_as_read_changes_nothing() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(10, from_user("ann", ["bob"]));
    let mut ledger = store.ledger(20);
    assert!(!ledger.mark_entry(&profile("bob"), Msgbox::Inbox, sent, false));
    assert!(!ledger.mark_entry(&profile("ann"), Msgbox::Sent, sent, true));
    assert_eq!(ledger.into_changes(), Ok(Changes::default()));
}

#[test]
fn every_visible_change_takes_the_next_number() {
    let mut store = MemoryStore::of(["ann"]);
    let (ann, one, two) = (profile("ann"), sent_at(1), sent_at(2));
    let mut ledger = store.ledger(10);
    ledger.add_entry(&ann, new_entry(Msgbox::Inbox, one));
    ledger.add_entry(&ann, new_entry(Msgbox::Inbox, two));
    store.write(ledger);
    let mut ledger = store.ledger(20);
    ledger.mark_entry(&ann, Msgbox::Inbox, one, true);
    ledger.remove_entry(&ann, Msgbox::Inbox, two);
    ledger.mark_entry(&ann, Msgbox::Inbox, one, false);
    let changes = store.write(ledger);

    let entry = store.entry("ann", Msgbox::Inbox, one).expect("an entry");
    assert_eq!((entry.create_seq, entry.seq, entry.version), (1, 5, 3));
    let tombstone = &changes.tombstones[0];
    assert_eq!(tombstone.seq, 4);
    assert_eq!(store.mailbox("ann").seq, 5);
}

#[test]
fn the_time_of_a_mailbox_never_goes_back() {
    let mut store = MemoryStore::of(["ann"]);
    let (ann, one, two) = (profile("ann"), sent_at(1), sent_at(2));
    for (now, message_id) in [(100, one), (50, two)] {
        let mut ledger = store.ledger(now);
        ledger.add_entry(&ann, new_entry(Msgbox::Inbox, message_id));
        store.write(ledger);
    }
    let mut ledger = store.ledger(70);
    ledger.mark_entry(&ann, Msgbox::Inbox, one, true);
    ledger.remove_entry(&ann, Msgbox::Inbox, two);
    let changes = store.write(ledger);

    let entry = store.entry("ann", Msgbox::Inbox, one).expect("an entry");
    assert_eq!(
        (entry.create_ms, entry.update_ms),
        (Millis(100), Millis(100))
    );
    assert_eq!(entry.read_ms, Some(Millis(100)));
    assert_eq!(changes.tombstones[0].delete_ms, Millis(100));
    assert_eq!(store.mailbox("ann").clock_ms, Millis(100));
}

#[test]
fn an_entry_added_and_removed_in_one_batch_leaves_no_tombstone() {
    let mut store = MemoryStore::of(["ann"]);
    let (ann, one) = (profile("ann"), sent_at(1));
    let mut ledger = store.ledger(10);
    ledger.add_entry(&ann, new_entry(Msgbox::Inbox, one));
    assert!(ledger.remove_entry(&ann, Msgbox::Inbox, one));
    let changes = store.write(ledger);
    assert_eq!(changes.new_entries, []);
    assert_eq!(changes.gone_entries, []);
    assert_eq!(changes.tombstones, []);
    assert_eq!(store.mailbox("ann").seq, 2, "numbers are not reused");
}

#[test]
fn a_stored_entry_leaves_a_tombstone_even_if_the_batch_changed_it_first() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(10, from_user("ann", ["bob"]));
    let mut ledger = store.ledger(20);
    ledger.mark_entry(&profile("bob"), Msgbox::Inbox, sent, true);
    ledger.remove_entry(&profile("bob"), Msgbox::Inbox, sent);
    let changes = store.write(ledger);
    let bob = store.mailbox("bob").mailbox_id;
    assert_eq!(changes.entries, []);
    assert_eq!(changes.gone_entries, [(bob, Msgbox::Inbox, sent)]);
    let expected = Tombstone {
        mailbox_id: bob,
        seq: 3,
        msgbox: Msgbox::Inbox,
        message_id: sent,
        delete_ms: Millis(20),
    };
    assert_eq!(changes.tombstones, [expected]);
}

#[test]
fn a_message_added_and_removed_in_one_batch_is_not_written() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let mut ledger = store.ledger(10);
    let sent = sent_at(10);
    let message = from_user("ann", ["bob"]);
    message.apply(&mut ledger).expect("sent");
    assert!(ledger.remove_message(sent));
    let changes = store.write(ledger);
    assert_eq!(changes.new_messages, []);
    assert_eq!(changes.gone_messages, []);
    assert_eq!(changes.tombstones, []);
    assert_eq!(
        (store.counts("ann"), store.counts("bob")),
        ((0, 0, 0), (0, 0, 0))
    );
}

#[test]
fn a_message_sent_and_edited_in_one_batch_is_written_once() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let mut ledger = store.ledger(10);
    let sent = sent_at(10);
    let message = from_user("ann", ["bob"]);
    message.apply(&mut ledger).expect("sent");
    let edit = EditMessage {
        owner: profile("ann"),
        message_id: sent,
        content: text("better"),
        expected_version: Some(1),
    };
    edit.apply(&mut ledger).expect("edited");
    let changes = store.write(ledger);
    assert_eq!(changes.contents, []);
    let [message] = &changes.new_messages[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(
        (message.envelope.version, &message.content),
        (2, &text("better"))
    );
    assert!(message.envelope.modified);
}

#[test]
fn a_revised_message_is_a_new_version_for_its_remaining_holders() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let sent = store.send(10, from_user("ann", ["bob", "cid"]));
    let mut ledger = store.ledger(20);
    ledger.remove_entry(&profile("cid"), Msgbox::Inbox, sent);
    ledger.mark_entry(&profile("bob"), Msgbox::Inbox, sent, true);
    store.write(ledger);
    let mut ledger = store.ledger(30);
    assert!(ledger.revise_message(sent, text("new")));
    let changes = store.write(ledger);

    let envelope = &store.messages[&sent];
    assert_eq!((envelope.version, envelope.update_ms), (2, Millis(30)));
    assert!(envelope.modified);
    let [ann, bob] = [("ann", Msgbox::Sent), ("bob", Msgbox::Inbox)]
        .map(|(owner, msgbox)| store.entry(owner, msgbox, sent).expect("an entry"));
    assert_eq!((ann.version, ann.content_version, ann.seq), (2, 2, 2));
    assert_eq!((bob.version, bob.content_version, bob.seq), (3, 2, 3));
    assert_eq!(bob.read_ms, Some(Millis(20)), "the entry stays read");
    assert_eq!(
        changes.entries.len(),
        2,
        "no entry of cid is left to change"
    );
}

#[test]
fn the_time_of_a_message_never_goes_back() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(100, from_user("ann", ["bob"]));
    let mut ledger = store.ledger(50);
    ledger.revise_message(sent, text("new"));
    store.write(ledger);
    assert_eq!(store.messages[&sent].update_ms, Millis(100));
}

#[test]
fn removing_a_message_removes_its_entries_from_all_boxes() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let kept = store.send(5, from_user("ann", ["bob"]));
    let sent = store.send(10, from_user("ann", ["ann", "bob", "cid"]));
    let mut ledger = store.ledger(20);
    assert!(ledger.remove_message(sent));
    assert!(!ledger.remove_message(sent));
    let changes = store.write(ledger);
    assert_eq!(changes.gone_messages, [sent]);
    assert_eq!(changes.tombstones.len(), 4);
    assert_eq!(store.counts("ann"), (0, 0, 1));
    assert_eq!(store.counts("bob"), (1, 1, 0));
    assert_eq!(store.counts("cid"), (0, 0, 0));
    assert!(store.messages.contains_key(&kept));
}

#[test]
fn a_mailbox_has_a_lower_bound_of_its_next_expiry() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    store.send(1_000, lasting(from_user("ann", ["bob"]), 50));
    store.send(1_001, lasting(from_user("ann", ["bob"]), 10));
    store.send(1_002, lasting(from_user("ann", ["bob"]), 30));
    assert_eq!(store.mailbox("bob").next_expiry_ms, Some(Millis(1_011)));
    assert_eq!(store.mailbox("ann").next_expiry_ms, Some(Millis(1_011)));
}

#[test]
fn reading_a_ledger_changes_no_row() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(10, from_user("ann", ["bob"]));
    let ledger = store.ledger(20);
    assert!(ledger.entry(&profile("bob"), Msgbox::Inbox, sent).is_some());
    assert_eq!(ledger.messages_in(&profile("ann"), Msgbox::Sent), [sent]);
    assert_eq!(ledger.messages_in(&profile("ann"), Msgbox::Inbox), []);
    assert_eq!(ledger.into_changes(), Ok(Changes::default()));
}

#[test]
fn each_operation_of_a_batch_sees_the_changes_before_it() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let mut ledger = store.ledger(10);
    let sent = sent_at(10);
    let message = from_user("ann", ["bob"]);
    let mark = MarkMessagesRead {
        entries: NamedEntries::new(profile("bob"), Msgbox::Inbox, vec![sent]),
        read: true,
    };
    message.apply(&mut ledger).expect("sent");
    mark.apply(&mut ledger).expect("marked");
    store.write(ledger);
    assert_eq!(store.counts("bob"), (1, 0, 0));
    assert_eq!(store.mailbox("bob").seq, 2);
}

/// A ledger of ann's mailbox and a message of hers, read with some of its holders.
fn ledger_with(holders: Holders) -> (Ledger, MessageId) {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let sent = store.send(10, from_user("ann", ["bob"]));
    let mut ledger = store.empty_ledger(20);
    ledger.read_mailbox(profile("ann"), store.mailbox("ann").clone());
    ledger.read_message(store.messages[&sent].clone(), holders);
    (ledger, sent)
}

#[test]
fn a_message_is_not_changed_unless_all_holders_were_read() {
    for holders in [Holders::None, Holders::Sender] {
        let (mut ledger, sent) = ledger_with(holders);
        assert!(!ledger.revise_message(sent, text("new")));
        assert_eq!(ledger.into_changes(), Err(NotRead::Holders(sent)));
        let (mut ledger, sent) = ledger_with(holders);
        assert!(!ledger.remove_message(sent));
        assert_eq!(ledger.into_changes(), Err(NotRead::Holders(sent)));
    }
}

#[test]
fn a_mailbox_is_not_changed_unless_it_was_read() {
    let bob = profile("bob");
    let changes: [fn(&mut Ledger, &ProfileId, MessageId); 8] = [
        |ledger, owner, id| assert!(!ledger.add_entry(owner, new_entry(Msgbox::Inbox, id))),
        |ledger, owner, id| assert!(!ledger.mark_entry(owner, Msgbox::Inbox, id, true)),
        |ledger, owner, id| assert!(!ledger.deliver_entry(owner, Msgbox::Inbox, id)),
        |ledger, owner, id| assert!(!ledger.remove_entry(owner, Msgbox::Inbox, id)),
        |ledger, owner, _| ledger.raise_floor(owner, 1),
        |ledger, owner, id| assert!(!ledger.take_message(owner, id, 9)),
        |ledger, owner, id| ledger.take_update(owner, id),
        |ledger, owner, id| ledger.take_recall(owner, id),
    ];
    for change in changes {
        let (mut ledger, sent) = ledger_with(Holders::None);
        change(&mut ledger, &bob, sent);
        let not_read = NotRead::Mailbox(bob.clone());
        assert_eq!(ledger.into_changes(), Err(not_read));
    }
}
