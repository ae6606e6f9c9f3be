//! Each criterion alone, and some together.

use domain::limits::COUNT_MAX;
use domain::page::{Count, Criteria, Listing, Scan};
use domain::{Message, MessageKind, Millis, Msgbox};
use storage::Item;
use support::on_each_database;

use super::{all_rows, furnish};
use crate::conformance::builders::{profile, send};
use crate::conformance::fixture::StoreFixture;
use crate::conformance::page_offsets::{PageSource, SORTS, everything, listing, there_and_back};

on_each_database![
    each_criterion_finds_matching_rows_only,
    a_count_is_free_without_criteria_and_computed_on_request,
    a_count_stops_at_its_limit_and_is_marked_so,
];

type Predicate = Box<dyn Fn(&Item) -> bool>;

fn is_from(message: &Message, name: &str) -> bool {
    message.envelope.sender.profile_id == Some(profile(name))
}

fn is_to(message: &Message, name: &str) -> bool {
    message.envelope.to.contains(&profile(name))
}

fn criteria(middle: Millis) -> Vec<(Criteria, Predicate)> {
    let none = Criteria::default;
    let mut list: Vec<(Criteria, Predicate)> = Vec::new();
    let mut add = |criteria, test: fn(&Item) -> bool| list.push((criteria, Box::new(test)));
    for (msgbox, test) in [
        (
            Msgbox::Inbox,
            (|item| item.entry.msgbox == Msgbox::Inbox) as fn(&Item) -> bool,
        ),
        (Msgbox::Sent, |item| item.entry.msgbox == Msgbox::Sent),
    ] {
        let msgbox = Some(msgbox);
        add(Criteria { msgbox, ..none() }, test);
    }
    let read = Some(true);
    add(Criteria { read, ..none() }, |item| {
        item.entry.read_ms.is_some()
    });
    let read = Some(false);
    add(Criteria { read, ..none() }, |item| {
        item.entry.read_ms.is_none()
    });
    let sender = Some(profile("bob"));
    add(Criteria { sender, ..none() }, |item| {
        is_from(&item.message, "bob")
    });
    let sender = Some(profile("bo"));
    add(Criteria { sender, ..none() }, |_| false);
    let to = Some(profile("cid"));
    add(Criteria { to, ..none() }, |item| {
        is_to(&item.message, "cid")
    });
    // No part of a name is the name.
    let to = Some(profile("ci"));
    add(Criteria { to, ..none() }, |_| false);
    let party = Some(profile("ann"));
    add(Criteria { party, ..none() }, |item| {
        is_from(&item.message, "ann") || is_to(&item.message, "ann")
    });
    let kind = Some(MessageKind::System);
    add(Criteria { kind, ..none() }, |item| {
        item.message.envelope.kind == MessageKind::System
    });
    let both = Criteria {
        msgbox: Some(Msgbox::Inbox),
        read: Some(false),
        kind: Some(MessageKind::Regular),
        to: Some(profile("bob")),
        ..none()
    };
    add(both, |item| {
        item.entry.is_unread() && item.message.envelope.kind == MessageKind::Regular
    });
    let mut add = |criteria, test: Predicate| list.push((criteria, test));
    let at = Some(middle);
    add(
        Criteria {
            sent_after: at,
            ..none()
        },
        Box::new(move |item| item.message.envelope.send_ms > middle),
    );
    add(
        Criteria {
            sent_before: at,
            ..none()
        },
        Box::new(move |item| item.message.envelope.send_ms < middle),
    );
    add(
        Criteria {
            updated_after: at,
            ..none()
        },
        Box::new(move |item| item.entry.update_ms > middle),
    );
    list
}

async fn each_criterion_finds_matching_rows_only(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    let middle = messages[messages.len() / 2].time_ms().expect("a time");
    for (criteria, matches) in criteria(middle) {
        for sort in SORTS {
            let all = all_rows(fixture, &messages, sort).await;
            let expected: Vec<Item> = all.into_iter().filter(|item| matches(item)).collect();
            let listing = Listing {
                criteria: criteria.clone(),
                count: true,
                ..listing(sort, 4)
            };
            let shown = there_and_back(fixture, &listing).await;
            assert_eq!(shown, expected, "{criteria:?} {sort:?}");
        }
    }
}

async fn a_count_is_free_without_criteria_and_computed_on_request(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    let total = all_rows(fixture, &messages, SORTS[0]).await.len();
    let (inbox, unread, sent) = fixture.counts("bob").await;
    let exact = |matches: i64| {
        Some(Count {
            matches,
            capped: false,
        })
    };
    let read = Some(false);
    let of_box = |msgbox| Criteria {
        msgbox: Some(msgbox),
        ..Criteria::default()
    };
    for (criteria, count, expected) in [
        (
            Criteria::default(),
            false,
            exact(i64::try_from(total).expect("few")),
        ),
        (of_box(Msgbox::Inbox), false, exact(inbox)),
        (of_box(Msgbox::Sent), true, exact(sent)),
        (
            Criteria {
                read,
                ..of_box(Msgbox::Inbox)
            },
            true,
            exact(unread),
        ),
        (
            Criteria {
                read,
                ..of_box(Msgbox::Inbox)
            },
            false,
            None,
        ),
    ] {
        for sort in SORTS {
            let scan_of_two = Scan {
                criteria: criteria.clone(),
                sort,
                count,
                rows: 2,
                skip: 1,
                ..everything()
            };
            let found = fixture.found(&scan_of_two).await;
            assert_eq!(found.count, expected, "{criteria:?}");
        }
    }
}

async fn a_count_stops_at_its_limit_and_is_marked_so(fixture: &StoreFixture) {
    let limit = i64::from(COUNT_MAX);
    // Two entries each.
    for _ in 0..limit / 2 / 250 {
        let batch = (0..250).map(|_| send("bob", &["bob"]));
        assert!(fixture.batch(batch).await.iter().all(Result::is_ok));
    }
    let from_bob = Scan {
        criteria: Criteria {
            sender: Some(profile("bob")),
            ..Criteria::default()
        },
        count: true,
        rows: 1,
        ..everything()
    };
    let at_the_limit = fixture.found(&from_bob).await.count;
    let exact = Count {
        matches: limit,
        capped: false,
    };
    assert_eq!(at_the_limit, Some(exact));
    fixture.send("bob", &["ann"]).await;
    let beyond = fixture.found(&from_bob).await.count;
    let capped = Count {
        matches: limit,
        capped: true,
    };
    assert_eq!(beyond, Some(capped));
    let free = fixture.found(&everything()).await.count;
    let all = Count {
        matches: limit + 1,
        capped: false,
    };
    assert_eq!(free, Some(all), "the counters know");
}
