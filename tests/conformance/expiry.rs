//! Expiry: settled mailboxes, the sweep, and the rows it deletes.

use domain::limits::{EXPIRED_KEPT_MS, IDEMPOTENCY_MS, SWEEP_LEASE_MS};
use domain::page::Criteria;
use domain::{Action, Audience, MessageId, Msgbox, Outcome, Refusal};
use storage::{FeedChange, FeedLimits, FeedStart};
use support::however_gathered;

use super::builders::{
    app, bulk, edit, from_app, from_user, lasting, open, profile, recall, repeatable, send, sent,
    text, update,
};
use super::fixture::{BatchStore, StoreFixture};
use super::page_offsets::everything;

however_gathered![
    expired_entries_are_neither_shown_nor_counted,
    expiry_makes_room_in_a_full_inbox,
    the_feed_reports_each_expired_entry,
    an_expired_message_is_hidden_from_the_repository_before_the_sweep,
    the_sweep_settles_mailboxes_and_deletes_messages_without_holders,
    one_store_sweeps_until_its_lease_ends,
    the_sweep_goes_on_in_small_parts,
];

const LIFE_MS: i64 = 1_000;

async fn short_lived(fixture: &StoreFixture, to: &[&str]) -> MessageId {
    let letter = lasting(from_user("ann", to, text("soon gone")), LIFE_MS);
    sent(fixture.act(Action::SendMessage(letter)).await)
}

pub async fn sweep_all(store: &BatchStore) {
    while store.expire_due().await.expect("a sweep") {}
}

async fn expired_entries_are_neither_shown_nor_counted(fixture: &StoreFixture) {
    let short = short_lived(fixture, &["bob"]).await;
    let long = fixture.send("ann", &["bob"]).await;
    fixture.clock().advance(LIFE_MS - 1);
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
    fixture.clock().advance(1);
    // A call of each kind is the first one.
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    let page = fixture.page("ann", &everything()).await;
    assert_eq!(page.found.items.len(), 1);
    assert_eq!(fixture.counts("ann").await, (0, 0, 1));
    let next = short_lived(fixture, &["bob", "cid"]).await;
    fixture.clock().advance(LIFE_MS);
    let named = [next, long];
    let items = fixture.entries("bob", Msgbox::Inbox, &named, 1_000).await;
    assert_eq!(items.found.len(), 1);
    let marked = super::builders::mark("cid", &[next], true);
    assert_eq!(fixture.done(marked).await, Outcome::Changed(0));
    for message_id in [short, next] {
        let not_found = Err(Refusal::NotFound);
        assert_eq!(
            fixture.act(update(message_id, "new", None)).await,
            not_found
        );
        assert_eq!(fixture.act(edit("ann", message_id, "new")).await, not_found);
        let recalled = fixture.done(recall("ann", Msgbox::Sent, &[message_id]));
        assert_eq!(recalled.await, Outcome::Changed(0));
    }
}

async fn expiry_makes_room_in_a_full_inbox(fixture: &StoreFixture) {
    let policy = domain::Policy {
        max_box_messages: 1,
        ..domain::Policy::default()
    };
    let store = fixture.store_with(policy).await;
    let run = async |action| store.run(&app(), super::builders::operation(action)).await;
    let letter = lasting(from_app(&["bob"], text("soon gone")), LIFE_MS);
    sent(run(Action::SendMessage(letter)).await);
    assert_eq!(run(send("ann", &["bob"])).await, Err(Refusal::BoxFull));
    fixture.clock().advance(LIFE_MS);
    sent(run(send("ann", &["bob"])).await);
    store.close().await;
}

async fn the_feed_reports_each_expired_entry(fixture: &StoreFixture) {
    let [one, other] = [
        short_lived(fixture, &["bob"]).await,
        short_lived(fixture, &["bob"]).await,
    ];
    let (app, bob) = (app(), profile("bob"));
    let all = FeedLimits {
        only: None,
        changes_max: 10,
        bytes_max: 10_000,
    };
    let head = fixture
        .store
        .changes(&app, &bob, FeedStart::Head, all)
        .await;
    let since = FeedStart::After(head.expect("a feed").reached);
    fixture.clock().advance(LIFE_MS);
    let feed = fixture.store.changes(&app, &bob, since, all).await;
    let feed = feed.expect("a feed");
    let gone: Vec<_> = feed.changes.into_iter().map(|(_, change)| change).collect();
    let expected = [one, other].map(|id| FeedChange::Deleted(Msgbox::Inbox, id));
    assert_eq!(gone, expected);
    assert_eq!(feed.counts.inbox_total, 0);
}

async fn an_expired_message_is_hidden_from_the_repository_before_the_sweep(fixture: &StoreFixture) {
    let short = short_lived(fixture, &["bob"]).await;
    let to_all = sent(fixture.act(bulk(Audience::Everyone, Some(LIFE_MS))).await);
    assert_eq!(fixture.messages(&[short, to_all]).await.len(), 2);
    fixture.clock().advance(LIFE_MS);
    assert_eq!(fixture.messages(&[short, to_all]).await, []);
    let report = fixture.store.bulk(&app(), to_all).await.expect("an answer");
    assert_eq!(report, None);
    for sort in super::page_offsets::SORTS {
        for sent_after in [None, Some(domain::Millis(1))] {
            let criteria = Criteria {
                sent_after,
                ..Criteria::default()
            };
            let scan = domain::page::Scan {
                criteria,
                sort,
                count: true,
                ..everything()
            };
            let page = fixture.store.repository_page(&app(), &scan).await;
            let page = page.expect("a page");
            assert_eq!(page.items.len(), 0);
            assert_eq!(page.count.expect("counted").matches, 0);
        }
    }
}

async fn the_sweep_settles_mailboxes_and_deletes_messages_without_holders(fixture: &StoreFixture) {
    short_lived(fixture, &["bob", "cid"]).await;
    let to_all = bulk(Audience::Everyone, Some(LIFE_MS));
    let message_id = sent(fixture.act(to_all).await);
    fixture.done(update(message_id, "newer", None)).await;
    fixture.counts("bob").await;
    let kept = fixture.send("ann", &["bob"]).await;
    let asked = repeatable("once", 1, open("dan"));
    fixture.execute(&app(), asked).await.expect("done");
    fixture.clock().advance(LIFE_MS);
    sweep_all(&fixture.store).await;
    let raw = fixture.raw().await;
    let count = async |table: &str| raw.number(&format!("SELECT count(*) FROM {table}")).await;
    assert_eq!(count("msgbox").await, 2, "one is kept, by two");
    assert_eq!(count("message").await, 3, "for those who read just now");
    fixture.clock().advance(EXPIRED_KEPT_MS);
    sweep_all(&fixture.store).await;
    assert_eq!(fixture.messages(&[kept]).await.len(), 1);
    for (table, left) in [
        ("message", 1),
        ("bulk", 0),
        ("bulk_tally", 0),
        ("request", 1),
    ] {
        assert_eq!(count(table).await, left, "{table}");
    }
    fixture.clock().advance(IDEMPOTENCY_MS);
    sweep_all(&fixture.store).await;
    assert_eq!(count("request").await, 0);
}

async fn one_store_sweeps_until_its_lease_ends(fixture: &StoreFixture) {
    let other = fixture.replica().await;
    let raw = fixture.raw().await;
    let expire = async || {
        short_lived(fixture, &["bob"]).await;
        fixture.clock().advance(LIFE_MS);
    };
    let left = async || raw.number("SELECT count(*) FROM msgbox").await;
    expire().await;
    sweep_all(&fixture.store).await;
    assert_eq!(left().await, 0);
    expire().await;
    sweep_all(&other).await;
    assert_eq!(left().await, 2, "it is not its turn");
    sweep_all(&fixture.store).await;
    assert_eq!(left().await, 0);
    fixture.clock().advance(SWEEP_LEASE_MS);
    expire().await;
    sweep_all(&other).await;
    assert_eq!(left().await, 0);
    expire().await;
    sweep_all(&fixture.store).await;
    assert_eq!(left().await, 2, "the other one has it now");
    other.close().await;
}

async fn the_sweep_goes_on_in_small_parts(fixture: &StoreFixture) {
    let owners: Vec<String> = (0..250).map(|number| format!("owner{number}")).collect();
    for some in owners.chunks(50) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        let letter = lasting(from_app(&some, text("soon gone")), LIFE_MS);
        sent(fixture.act(Action::SendMessage(letter)).await);
    }
    fixture.clock().advance(LIFE_MS);
    let raw = fixture.raw().await;
    let mut left = vec![raw.number("SELECT count(*) FROM msgbox").await];
    while fixture.store.expire_due().await.expect("a sweep") {
        left.push(raw.number("SELECT count(*) FROM msgbox").await);
    }
    assert_eq!(left, [250, 150, 50, 0]);
}
