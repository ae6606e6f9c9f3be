//! Reads of entries and messages by id.

use domain::{Action, MessageId, Msgbox};
use storage::Item;
use support::however_gathered;

use super::builders::{
    announce, app, bytes, delete, from_user, mark, nobodys, profile, remove, sent, text,
};
use super::fixture::StoreFixture;

however_gathered![
    a_read_by_id_keeps_the_order_of_the_ids,
    a_read_by_id_is_cut_by_bytes_and_has_at_least_one_item,
    a_message_without_holders_stays_in_the_repository,
    an_entry_shows_all_of_its_fields,
];

async fn sized(fixture: &StoreFixture, sizes: &[usize]) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for size in sizes {
        let letter = Action::SendMessage(from_user("ann", &["bob"], bytes(*size)));
        messages.push(sent(fixture.act(letter).await));
    }
    messages
}

/// The ids that came, and those that remain; the same for entries and for messages.
async fn named(
    fixture: &StoreFixture,
    ids: &[MessageId],
    bytes_max: usize,
) -> (Vec<MessageId>, Vec<MessageId>) {
    let entries = fixture.entries("bob", Msgbox::Inbox, ids, bytes_max).await;
    let found = entries.found.iter().map(|item| item.entry.message_id);
    let found: Vec<MessageId> = found.collect();
    let messages = fixture.store.messages(&app(), ids, bytes_max).await;
    let messages = messages.expect("messages");
    let of_them: Vec<_> = messages
        .found
        .iter()
        .map(|one| one.envelope.message_id)
        .collect();
    assert_eq!(
        (&found, &entries.remaining),
        (&of_them, &messages.remaining)
    );
    (found, entries.remaining)
}

async fn a_read_by_id_keeps_the_order_of_the_ids(fixture: &StoreFixture) {
    let ids = sized(fixture, &[1, 2, 3, 4]).await;
    let order = [ids[2], nobodys(), ids[0], ids[3], ids[1]];
    let (found, remaining) = named(fixture, &order, 1_000).await;
    assert_eq!(found, [ids[2], ids[0], ids[3], ids[1]]);
    assert_eq!(remaining, []);
    assert_eq!(named(fixture, &[nobodys()], 1_000).await, (vec![], vec![]));
    assert_eq!(named(fixture, &[], 1_000).await, (vec![], vec![]));
}

async fn a_read_by_id_is_cut_by_bytes_and_has_at_least_one_item(fixture: &StoreFixture) {
    let ids = sized(fixture, &[100, 50, 10, 200]).await;
    for (bytes_max, fit) in [
        (0, 1),
        (99, 1),
        (149, 1),
        (150, 2),
        (159, 2),
        (160, 3),
        (359, 3),
        (360, 4),
        (usize::MAX, 4),
    ] {
        let (found, remaining) = named(fixture, &ids, bytes_max).await;
        assert_eq!(
            (&found[..], &remaining[..]),
            ids.split_at(fit),
            "{bytes_max}"
        );
    }
    // A small one behind one that does not fit remains too: the order is kept.
    let order = [ids[2], ids[3], ids[1]];
    let (found, remaining) = named(fixture, &order, 60).await;
    assert_eq!((found, remaining), (vec![ids[2]], vec![ids[3], ids[1]]));
}

async fn a_message_without_holders_stays_in_the_repository(fixture: &StoreFixture) {
    let message = fixture.send("ann", &["bob"]).await;
    fixture.done(delete("ann", Msgbox::Sent, &[message])).await;
    fixture.done(delete("bob", Msgbox::Inbox, &[message])).await;
    assert_eq!(fixture.messages(&[message]).await.len(), 1);
    let held = fixture
        .entries("bob", Msgbox::Inbox, &[message], 1_000)
        .await;
    assert_eq!(held.found, []);
    fixture.done(remove(&[message])).await;
    assert_eq!(fixture.messages(&[message]).await, []);
}

async fn an_entry_shows_all_of_its_fields(fixture: &StoreFixture) {
    let mut letter = from_user("ann", &["cid", "bob"], text("hello \u{1F4EE}"));
    let notification = bytes::Bytes::from_static(&[0, 255, 39, 92]);
    letter.draft.notification = Some(notification.clone());
    letter.draft.lifetime_ms = Some(1_000);
    let message = sent(fixture.act(Action::SendMessage(letter)).await);
    fixture.clock().advance(7);
    fixture.done(mark("bob", &[message], true)).await;
    fixture.done(announce(&["bob"])).await;
    let named = [message];
    let items = fixture.entries("bob", Msgbox::Inbox, &named, 1_000).await;
    let items = items.found;
    let [Item { entry, message }] = &items[..] else {
        panic!("{items:?}");
    };
    let start = support::clock::START;
    let envelope = &message.envelope;
    assert_eq!((entry.create_ms, entry.update_ms), (start, start.after(7)));
    assert_eq!(entry.read_ms, Some(start.after(7)));
    assert_eq!((entry.create_seq, entry.seq, entry.version), (1, 2, 2));
    assert_eq!(entry.expire_ms, start.after(1_000));
    assert_eq!(entry.delivered_ms, None);
    assert_eq!(envelope.sender.profile_id, Some(profile("ann")));
    assert_eq!(
        (envelope.sender.name.as_str(), envelope.sender.pic.as_str()),
        ("ANN", "")
    );
    assert_eq!(envelope.to, [profile("bob"), profile("cid")]);
    assert_eq!(envelope.notification, Some(notification));
    assert_eq!((envelope.send_ms, envelope.update_ms), (start, start));
    assert_eq!(envelope.expire_ms, start.after(1_000));
    assert_eq!((envelope.version, envelope.modified), (1, false));
    assert_eq!(message.content, text("hello \u{1F4EE}"));
}
