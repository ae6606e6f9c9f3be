//! Messages that are asked for by name.

use domain::{Action, MessageId, Msgbox};
use storage::Item;
use support::however_gathered;

use super::bench::Bench;
use super::words::{
    announce, app, bytes, delete, from_user, mark, nobodys, profile, remove, sent, text,
};

however_gathered![
    they_come_in_the_order_in_which_they_were_named,
    as_many_come_as_fit_and_one_at_least,
    a_message_is_in_the_repository_also_when_no_box_holds_it,
    an_entry_shows_all_that_is_known,
];

async fn sized(bench: &Bench, sizes: &[usize]) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for size in sizes {
        let letter = Action::Deliver(from_user("ann", &["bob"], bytes(*size)));
        messages.push(sent(bench.act(letter).await));
    }
    messages
}

/// The ids that came, and those that remain; the same for entries and for messages.
async fn named(
    bench: &Bench,
    ids: &[MessageId],
    bytes_max: usize,
) -> (Vec<MessageId>, Vec<MessageId>) {
    let entries = bench.entries("bob", Msgbox::Inbox, ids, bytes_max).await;
    let found = entries.found.iter().map(|item| item.entry.message_id);
    let found: Vec<MessageId> = found.collect();
    let messages = bench.store.messages(&app(), ids, bytes_max).await;
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

async fn they_come_in_the_order_in_which_they_were_named(bench: &Bench) {
    let ids = sized(bench, &[1, 2, 3, 4]).await;
    let order = [ids[2], nobodys(), ids[0], ids[3], ids[1]];
    let (found, remaining) = named(bench, &order, 1_000).await;
    assert_eq!(found, [ids[2], ids[0], ids[3], ids[1]]);
    assert_eq!(remaining, []);
    assert_eq!(named(bench, &[nobodys()], 1_000).await, (vec![], vec![]));
    assert_eq!(named(bench, &[], 1_000).await, (vec![], vec![]));
}

async fn as_many_come_as_fit_and_one_at_least(bench: &Bench) {
    let ids = sized(bench, &[100, 50, 10, 200]).await;
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
        let (found, remaining) = named(bench, &ids, bytes_max).await;
        assert_eq!(
            (&found[..], &remaining[..]),
            ids.split_at(fit),
            "{bytes_max}"
        );
    }
    // A small one behind one that does not fit remains too: the order is kept.
    let order = [ids[2], ids[3], ids[1]];
    let (found, remaining) = named(bench, &order, 60).await;
    assert_eq!((found, remaining), (vec![ids[2]], vec![ids[3], ids[1]]));
}

async fn a_message_is_in_the_repository_also_when_no_box_holds_it(bench: &Bench) {
    let message = bench.send("ann", &["bob"]).await;
    bench.done(delete("ann", Msgbox::Sent, &[message])).await;
    bench.done(delete("bob", Msgbox::Inbox, &[message])).await;
    assert_eq!(bench.messages(&[message]).await.len(), 1);
    let held = bench.entries("bob", Msgbox::Inbox, &[message], 1_000).await;
    assert_eq!(held.found, []);
    bench.done(remove(&[message])).await;
    assert_eq!(bench.messages(&[message]).await, []);
}

async fn an_entry_shows_all_that_is_known(bench: &Bench) {
    let letter = from_user("ann", &["cid", "bob"], text("hello \u{1F4EE}"));
    let notification = bytes::Bytes::from_static(&[0, 255, 39, 92]);
    let letter = letter
        .with_notification(Some(notification.clone()))
        .with_lifetime_ms(Some(1_000));
    let message = sent(bench.act(Action::Deliver(letter)).await);
    bench.clock().advance(7);
    bench.done(mark("bob", &[message], true)).await;
    bench.done(announce(&["bob"])).await;
    let named = [message];
    let items = bench.entries("bob", Msgbox::Inbox, &named, 1_000).await;
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
    assert_eq!(envelope.from.profile_id, Some(profile("ann")));
    assert_eq!(
        (envelope.from.name.as_str(), envelope.from.pic.as_str()),
        ("ANN", "")
    );
    assert_eq!(envelope.to, [profile("bob"), profile("cid")]);
    assert_eq!(envelope.notification, Some(notification));
    assert_eq!((envelope.send_ms, envelope.update_ms), (start, start));
    assert_eq!(envelope.expire_ms, start.after(1_000));
    assert_eq!((envelope.version, envelope.modified), (1, false));
    assert_eq!(message.content, text("hello \u{1F4EE}"));
}
