//! Pages of the repository: all messages of an app.

use domain::page::{Criteria, Direction, Found, Listing, PageStep, Scan, Sort, SortField};
use domain::{Message, MessageId, MessageKind, Msgbox};
use support::however_gathered;

use super::builders::{app, delete, edit, profile, remove, send, update};
use super::fixture::StoreFixture;
use super::page_offsets::{PageSource, SORTS, listing, step, there_and_back, turn};

mod limits;

however_gathered![
    offsets_show_every_message_once_in_each_order_and_back,
    each_criterion_finds_matching_rows_only,
    a_message_that_changes_moves_to_the_end_of_the_order_of_changes,
    later_arrivals_repeat_no_message,
];

struct RepositorySource<'a>(&'a StoreFixture);

impl PageSource for RepositorySource<'_> {
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
async fn furnish(fixture: &StoreFixture) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for number in 0..8 {
        fixture.clock().advance(if number % 3 == 0 { 0 } else { 5 });
        messages.push(fixture.send("ann", &["bob", "cid"]).await);
        messages.push(fixture.send("bob", &["bob"]).await);
        messages.push(fixture.announce(&["cid"]).await);
        if number % 2 == 0 {
            let latest = messages[messages.len() - 2];
            fixture.done(edit("bob", latest, "at once")).await;
        }
        if number % 4 == 3 {
            let older = messages[messages.len() / 2];
            fixture.done(update(older, "later", None)).await;
        }
    }
    fixture.clock().advance(-20);
    fixture
        .done(update(messages[20], "back in time", None))
        .await;
    fixture.done(remove(&[messages[4], messages[9]])).await;
    fixture.done(delete("bob", Msgbox::Inbox, &messages)).await;
    fixture.clock().advance(100);
    messages
}

async fn all(fixture: &StoreFixture, messages: &[MessageId], sort: Sort) -> Vec<Message> {
    let mut all = fixture.messages(messages).await;
    match sort.field {
        SortField::CreateTime => all.sort_by_key(id),
        SortField::UpdateTime => all.sort_by_key(|one| (one.envelope.update_ms, id(one))),
    }
    if sort.direction == Direction::Descending {
        all.reverse();
    }
    all
}

async fn offsets_show_every_message_once_in_each_order_and_back(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in SORTS {
        let expected = all(fixture, &messages, sort).await;
        assert_eq!(expected.len(), 22);
        for rows_per_page in [1, 2, 5, 200] {
            let shown =
                there_and_back(&RepositorySource(fixture), &listing(sort, rows_per_page)).await;
            assert_eq!(shown, expected, "{sort:?}, {rows_per_page} rows a page");
        }
        let listing = listing(sort, 4);
        let third = turn(
            &RepositorySource(fixture),
            &listing,
            PageStep::to(&listing, 3),
        )
        .await;
        assert_eq!(third.items, expected[8..12]);
        let fifth = step(&RepositorySource(fixture), &listing, third.position, 2).await;
        assert_eq!(fifth.items, expected[16..20]);
        let again = step(&RepositorySource(fixture), &listing, fifth.position, 0).await;
        assert_eq!(again.items, fifth.items);
        let second = step(&RepositorySource(fixture), &listing, fifth.position, -3).await;
        assert_eq!(second.items, expected[4..8]);
        let beyond = turn(
            &RepositorySource(fixture),
            &listing,
            PageStep::to(&listing, 9),
        )
        .await;
        assert!(beyond.items.is_empty() && !beyond.more_after);
        let last = step(&RepositorySource(fixture), &listing, beyond.position, -1).await;
        assert_eq!(last.items, expected[18..]);
    }
}

async fn each_criterion_finds_matching_rows_only(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    let middle = messages[12].time_ms().expect("a time");
    let none = Criteria::default;
    let bob = || Some(profile("bob"));
    let criteria = [
        Criteria {
            system_only: true,
            ..none()
        },
        Criteria {
            sender: bob(),
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
            sender: bob(),
            updated_after: Some(middle),
            ..none()
        },
    ];
    for criteria in criteria {
        let matches = |one: &Message| {
            let envelope = &one.envelope;
            let from = &envelope.sender.profile_id;
            let to_bob = envelope.to.contains(&profile("bob"));
            (!criteria.system_only || from.is_none())
                && (criteria.sender.is_none() || *from == bob())
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
            let mut expected = all(fixture, &messages, sort).await;
            expected.retain(matches);
            let listing = Listing {
                criteria: criteria.clone(),
                ..listing(sort, 3)
            };
            let shown = there_and_back(&RepositorySource(fixture), &listing).await;
            assert_eq!(shown, expected, "{criteria:?} {sort:?}");
        }
    }
}

async fn a_message_that_changes_moves_to_the_end_of_the_order_of_changes(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in &SORTS[2..] {
        let listing = listing(*sort, 4);
        let before = all(fixture, &messages, *sort).await;
        let first = turn(
            &RepositorySource(fixture),
            &listing,
            PageStep::to(&listing, 1),
        )
        .await;
        fixture.clock().advance(10);
        let moved = id(&before[before.len() / 2]);
        fixture.done(update(moved, "moved", None)).await;
        let after = all(fixture, &messages, *sort).await;
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
            page = step(&RepositorySource(fixture), &listing, page.position, 1).await;
            shown.extend(page.items.iter().map(id));
        }
        assert_eq!(shown, expected, "{sort:?}");
    }
}

async fn later_arrivals_repeat_no_message(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in &SORTS[..2] {
        let before: Vec<MessageId> = all(fixture, &messages, *sort)
            .await
            .iter()
            .map(id)
            .collect();
        let listing = listing(*sort, 3);
        let mut page = turn(
            &RepositorySource(fixture),
            &listing,
            PageStep::to(&listing, 1),
        )
        .await;
        let mut shown: Vec<MessageId> = page.items.iter().map(id).collect();
        while page.more_after && shown.len() < 60 {
            fixture.done(send("ann", &["bob"])).await;
            fixture.done(update(messages[0], "again", None)).await;
            page = step(&RepositorySource(fixture), &listing, page.position, 1).await;
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
