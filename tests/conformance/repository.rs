//! Pages of all messages of an app, whoever holds them.

use domain::page::{Criteria, Direction, Found, Listing, Scan, Sort, SortField, Turn};
use domain::{Message, MessageId, MessageKind, Msgbox};
use support::however_gathered;

use super::bench::Bench;
use super::turning::{SORTS, Source, listing, step, there_and_back, turn};
use super::words::{app, delete, edit, profile, remove, send, update};

mod limits;

however_gathered![
    turning_shows_every_message_once_in_each_order_and_back_again,
    each_criterion_finds_what_matches_and_nothing_else,
    a_message_that_changes_moves_to_the_end_of_the_order_of_changes,
    what_arrives_later_repeats_no_message,
];

struct Repository<'a>(&'a Bench);

impl Source for Repository<'_> {
    type Row = Message;

    async fn found(&self, scan: &Scan) -> Found<Message> {
        let found = self.0.store.repository_page(&app(), scan).await;
        found.expect("a page")
    }
}

fn id(message: &Message) -> MessageId {
    message.envelope.message_id
}

/// Messages that were changed or not, at once or later, several in one millisecond.
async fn furnish(bench: &Bench) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for number in 0..8 {
        bench.clock().advance(if number % 3 == 0 { 0 } else { 5 });
        messages.push(bench.send("ann", &["bob", "cid"]).await);
        messages.push(bench.send("bob", &["bob"]).await);
        messages.push(bench.announce(&["cid"]).await);
        if number % 2 == 0 {
            let latest = messages[messages.len() - 2];
            bench.done(edit("bob", latest, "at once")).await;
        }
        if number % 4 == 3 {
            let older = messages[messages.len() / 2];
            bench.done(update(older, "later", None)).await;
        }
    }
    bench.clock().advance(-20);
    bench.done(update(messages[20], "back in time", None)).await;
    bench.done(remove(&[messages[4], messages[9]])).await;
    bench.done(delete("bob", Msgbox::Inbox, &messages)).await;
    bench.clock().advance(100);
    messages
}

async fn all(bench: &Bench, messages: &[MessageId], sort: Sort) -> Vec<Message> {
    let mut all = bench.messages(messages).await;
    match sort.field {
        SortField::CreateTime => all.sort_by_key(id),
        SortField::UpdateTime => all.sort_by_key(|one| (one.envelope.update_ms, id(one))),
    }
    if sort.direction == Direction::Descending {
        all.reverse();
    }
    all
}

async fn turning_shows_every_message_once_in_each_order_and_back_again(bench: &Bench) {
    let messages = furnish(bench).await;
    for sort in SORTS {
        let expected = all(bench, &messages, sort).await;
        assert_eq!(expected.len(), 22);
        for rows_per_page in [1, 2, 5, 200] {
            let shown = there_and_back(&Repository(bench), &listing(sort, rows_per_page)).await;
            assert_eq!(shown, expected, "{sort:?}, {rows_per_page} rows a page");
        }
        let listing = listing(sort, 4);
        let third = turn(&Repository(bench), &listing, Turn::to(&listing, 3)).await;
        assert_eq!(third.items, expected[8..12]);
        let fifth = step(&Repository(bench), &listing, third.bookmark, 2).await;
        assert_eq!(fifth.items, expected[16..20]);
        let again = step(&Repository(bench), &listing, fifth.bookmark, 0).await;
        assert_eq!(again.items, fifth.items);
        let second = step(&Repository(bench), &listing, fifth.bookmark, -3).await;
        assert_eq!(second.items, expected[4..8]);
        let beyond = turn(&Repository(bench), &listing, Turn::to(&listing, 9)).await;
        assert!(beyond.items.is_empty() && !beyond.more_after);
        let last = step(&Repository(bench), &listing, beyond.bookmark, -1).await;
        assert_eq!(last.items, expected[18..]);
    }
}

async fn each_criterion_finds_what_matches_and_nothing_else(bench: &Bench) {
    let messages = furnish(bench).await;
    let middle = messages[12].time_ms().expect("a time");
    let none = Criteria::default;
    let bob = || Some(profile("bob"));
    let criteria = [
        Criteria {
            system_only: true,
            ..none()
        },
        Criteria {
            from: bob(),
            ..none()
        },
        Criteria {
            to: bob(),
            ..none()
        },
        Criteria {
            party: bob(),
            ..none()
        },
        Criteria {
            kind: Some(MessageKind::System),
            ..none()
        },
        Criteria {
            kind: Some(MessageKind::Bulk),
            ..none()
        },
        Criteria {
            sent_after: Some(middle),
            ..none()
        },
        Criteria {
            sent_before: Some(middle),
            ..none()
        },
        Criteria {
            updated_after: Some(middle),
            ..none()
        },
        Criteria {
            from: bob(),
            updated_after: Some(middle),
            ..none()
        },
    ];
    for criteria in criteria {
        let matches = |one: &Message| {
            let envelope = &one.envelope;
            let from = &envelope.from.profile_id;
            let to_bob = envelope.to.contains(&profile("bob"));
            (!criteria.system_only || from.is_none())
                && (criteria.from.is_none() || *from == bob())
                && (criteria.to.is_none() || to_bob)
                && (criteria.party.is_none() || *from == bob() || to_bob)
                && criteria.kind.is_none_or(|kind| envelope.kind == kind)
                && criteria.sent_after.is_none_or(|at| envelope.send_ms > at)
                && criteria.sent_before.is_none_or(|at| envelope.send_ms < at)
                && criteria
                    .updated_after
                    .is_none_or(|at| envelope.update_ms > at)
        };
        for sort in SORTS {
            let mut expected = all(bench, &messages, sort).await;
            expected.retain(matches);
            let listing = Listing {
                criteria: criteria.clone(),
                ..listing(sort, 3)
            };
            let shown = there_and_back(&Repository(bench), &listing).await;
            assert_eq!(shown, expected, "{criteria:?} {sort:?}");
        }
    }
}

async fn a_message_that_changes_moves_to_the_end_of_the_order_of_changes(bench: &Bench) {
    let messages = furnish(bench).await;
    for sort in &SORTS[2..] {
        let listing = listing(*sort, 4);
        let before = all(bench, &messages, *sort).await;
        let first = turn(&Repository(bench), &listing, Turn::to(&listing, 1)).await;
        bench.clock().advance(10);
        let moved = id(&before[before.len() / 2]);
        bench.done(update(moved, "moved", None)).await;
        let after = all(bench, &messages, *sort).await;
        let at_the_end = match sort.direction {
            Direction::Ascending => after.last(),
            Direction::Descending => after.first(),
        };
        assert_eq!(at_the_end.map(id), Some(moved));
        // What was not shown yet and did not move comes next, in its order.
        let rest = before[4..].iter().filter(|one| id(one) != moved);
        let mut expected: Vec<MessageId> = rest.map(id).collect();
        if sort.direction == Direction::Ascending {
            expected.push(moved);
        }
        let mut shown = Vec::new();
        let mut page = first;
        while page.more_after {
            page = step(&Repository(bench), &listing, page.bookmark, 1).await;
            shown.extend(page.items.iter().map(id));
        }
        assert_eq!(shown, expected, "{sort:?}");
    }
}

async fn what_arrives_later_repeats_no_message(bench: &Bench) {
    let messages = furnish(bench).await;
    for sort in &SORTS[..2] {
        let before: Vec<MessageId> = all(bench, &messages, *sort).await.iter().map(id).collect();
        let listing = listing(*sort, 3);
        let mut page = turn(&Repository(bench), &listing, Turn::to(&listing, 1)).await;
        let mut shown: Vec<MessageId> = page.items.iter().map(id).collect();
        while page.more_after && shown.len() < 60 {
            bench.done(send("ann", &["bob"])).await;
            bench.done(update(messages[0], "again", None)).await;
            page = step(&Repository(bench), &listing, page.bookmark, 1).await;
            shown.extend(page.items.iter().map(id));
        }
        let of_before = shown.iter().filter(|id| messages.contains(id));
        assert_eq!(of_before.copied().collect::<Vec<_>>(), before);
        let mut distinct = shown.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), shown.len());
    }
}
