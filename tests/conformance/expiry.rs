//! What has expired is gone for everybody, and then from the tables.

use domain::limits::{EXPIRED_KEPT_MS, IDEMPOTENCY_MS, SWEEP_LEASE_MS};
use domain::page::Criteria;
use domain::{Action, Audience, MessageId, Msgbox, Outcome, Refusal};
use storage::{Change, FeedPart, Since};
use support::however_gathered;

use super::bench::{Bench, Store};
use super::turning::everything;
use super::words::{
    app, bulk, edit, from_app, from_user, open, profile, recall, repeatable, send, sent, text,
    update,
};

however_gathered![
    what_has_expired_is_shown_and_counted_by_no_call,
    a_full_inbox_takes_what_comes_after_something_expired,
    who_follows_is_told_of_each_that_has_expired,
    a_message_expires_from_the_repository_too_before_it_is_swept,
    the_sweep_settles_and_then_deletes_what_nobody_holds,
    one_store_sweeps_until_its_lease_ends,
    the_sweep_goes_on_in_small_parts,
];

const LIFE_MS: i64 = 1_000;

async fn short_lived(bench: &Bench, to: &[&str]) -> MessageId {
    let letter = from_user("ann", to, text("soon gone")).with_lifetime_ms(Some(LIFE_MS));
    sent(bench.act(Action::Deliver(letter)).await)
}

async fn sweep_all(store: &Store) {
    while store.sweep().await.expect("a sweep") {}
}

async fn what_has_expired_is_shown_and_counted_by_no_call(bench: &Bench) {
    let short = short_lived(bench, &["bob"]).await;
    let long = bench.send("ann", &["bob"]).await;
    bench.clock().advance(LIFE_MS - 1);
    assert_eq!(bench.counts("bob").await, (2, 2, 0));
    bench.clock().advance(1);
    // A call of each kind is the first one.
    assert_eq!(bench.counts("bob").await, (1, 1, 0));
    let page = bench.page("ann", &everything()).await;
    assert_eq!(page.found.items.len(), 1);
    assert_eq!(bench.counts("ann").await, (0, 0, 1));
    let next = short_lived(bench, &["bob", "cid"]).await;
    bench.clock().advance(LIFE_MS);
    let named = [next, long];
    let items = bench.entries("bob", Msgbox::Inbox, &named, 1_000).await;
    assert_eq!(items.found.len(), 1);
    let marked = super::words::mark("cid", &[next], true);
    assert_eq!(bench.done(marked).await, Outcome::Changed(0));
    for message_id in [short, next] {
        let not_found = Err(Refusal::NotFound);
        assert_eq!(bench.act(update(message_id, "new", None)).await, not_found);
        assert_eq!(bench.act(edit("ann", message_id, "new")).await, not_found);
        let recalled = bench.done(recall("ann", Msgbox::Sent, &[message_id]));
        assert_eq!(recalled.await, Outcome::Changed(0));
    }
}

async fn a_full_inbox_takes_what_comes_after_something_expired(bench: &Bench) {
    let policy = domain::Policy {
        max_box_messages: 1,
        ..domain::Policy::default()
    };
    let store = bench.store_with(policy).await;
    let run = async |action| store.run(&app(), super::words::operation(action)).await;
    let letter = from_app(&["bob"], text("soon gone")).with_lifetime_ms(Some(LIFE_MS));
    sent(run(Action::Deliver(letter)).await);
    assert_eq!(run(send("ann", &["bob"])).await, Err(Refusal::BoxFull));
    bench.clock().advance(LIFE_MS);
    sent(run(send("ann", &["bob"])).await);
    store.close().await;
}

async fn who_follows_is_told_of_each_that_has_expired(bench: &Bench) {
    let [one, other] = [
        short_lived(bench, &["bob"]).await,
        short_lived(bench, &["bob"]).await,
    ];
    let (app, bob) = (app(), profile("bob"));
    let all = FeedPart {
        changes_max: 10,
        bytes_max: 10_000,
    };
    let head = bench.store.changes(&app, &bob, Since::Now, all).await;
    let since = Since::After(head.expect("a feed").reached);
    bench.clock().advance(LIFE_MS);
    let feed = bench.store.changes(&app, &bob, since, all).await;
    let feed = feed.expect("a feed");
    let gone: Vec<_> = feed.changes.into_iter().map(|(_, change)| change).collect();
    let expected = [one, other].map(|id| Change::Deleted(Msgbox::Inbox, id));
    assert_eq!(gone, expected);
    assert_eq!(feed.counts.inbox_total, 0);
}

async fn a_message_expires_from_the_repository_too_before_it_is_swept(bench: &Bench) {
    let short = short_lived(bench, &["bob"]).await;
    let to_all = sent(bench.act(bulk(Audience::Everyone, Some(LIFE_MS))).await);
    assert_eq!(bench.messages(&[short, to_all]).await.len(), 2);
    bench.clock().advance(LIFE_MS);
    assert_eq!(bench.messages(&[short, to_all]).await, []);
    let report = bench.store.bulk(&app(), to_all).await.expect("an answer");
    assert_eq!(report, None);
    for sort in super::turning::SORTS {
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
            let page = bench.store.repository_page(&app(), &scan).await;
            let page = page.expect("a page");
            assert_eq!(page.items.len(), 0);
            assert_eq!(page.count.expect("counted").matches, 0);
        }
    }
}

async fn the_sweep_settles_and_then_deletes_what_nobody_holds(bench: &Bench) {
    short_lived(bench, &["bob", "cid"]).await;
    let to_all = bulk(Audience::Everyone, Some(LIFE_MS));
    let message_id = sent(bench.act(to_all).await);
    bench.done(update(message_id, "newer", None)).await;
    bench.counts("bob").await;
    let kept = bench.send("ann", &["bob"]).await;
    let asked = repeatable("once", 1, open("dan"));
    bench.execute(&app(), asked).await.expect("done");
    bench.clock().advance(LIFE_MS);
    sweep_all(&bench.store).await;
    let raw = bench.raw().await;
    let count = async |table: &str| raw.number(&format!("SELECT count(*) FROM {table}")).await;
    assert_eq!(count("msgbox").await, 2, "one is kept, by two");
    assert_eq!(count("message").await, 3, "for those who read just now");
    bench.clock().advance(EXPIRED_KEPT_MS);
    sweep_all(&bench.store).await;
    assert_eq!(bench.messages(&[kept]).await.len(), 1);
    for (table, left) in [
        ("message", 1),
        ("bulk", 0),
        ("bulk_tally", 0),
        ("request", 1),
    ] {
        assert_eq!(count(table).await, left, "{table}");
    }
    bench.clock().advance(IDEMPOTENCY_MS);
    sweep_all(&bench.store).await;
    assert_eq!(count("request").await, 0);
}

async fn one_store_sweeps_until_its_lease_ends(bench: &Bench) {
    let other = bench.replica().await;
    let raw = bench.raw().await;
    let expire = async || {
        short_lived(bench, &["bob"]).await;
        bench.clock().advance(LIFE_MS);
    };
    let left = async || raw.number("SELECT count(*) FROM msgbox").await;
    expire().await;
    sweep_all(&bench.store).await;
    assert_eq!(left().await, 0);
    expire().await;
    sweep_all(&other).await;
    assert_eq!(left().await, 2, "it is not its turn");
    sweep_all(&bench.store).await;
    assert_eq!(left().await, 0);
    bench.clock().advance(SWEEP_LEASE_MS);
    expire().await;
    sweep_all(&other).await;
    assert_eq!(left().await, 0);
    expire().await;
    sweep_all(&bench.store).await;
    assert_eq!(left().await, 2, "the other one has it now");
    other.close().await;
}

async fn the_sweep_goes_on_in_small_parts(bench: &Bench) {
    let owners: Vec<String> = (0..250).map(|number| format!("owner{number}")).collect();
    for some in owners.chunks(50) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        let letter = from_app(&some, text("soon gone")).with_lifetime_ms(Some(LIFE_MS));
        sent(bench.act(Action::Deliver(letter)).await);
    }
    bench.clock().advance(LIFE_MS);
    let raw = bench.raw().await;
    let mut left = vec![raw.number("SELECT count(*) FROM msgbox").await];
    while bench.store.sweep().await.expect("a sweep") {
        left.push(raw.number("SELECT count(*) FROM msgbox").await);
    }
    assert_eq!(left, [250, 150, 50, 0]);
}
