//! Pages of a mailbox: every row exactly once, in each order, however one turns.

use std::collections::BTreeSet;

use domain::page::{Criteria, Direction, Found, PageStep, Scan, Sort, SortField};
use domain::{MessageId, Msgbox};
use storage::{Item, MailboxPage};
use support::however_gathered;

use super::builders::{app, delete, edit, mark, operation, send, sent};
use super::fixture::{ALL_BYTES, StoreFixture};
use super::page_offsets::{
    PageSource, SORTS, everything, listing, pages, step, there_and_back, turn,
};

mod criteria;
mod cuts;

however_gathered![
    offsets_show_every_row_once_in_each_order_and_back,
    a_page_number_leads_where_offsets_lead,
    a_page_past_the_end_is_empty_and_one_back_has_the_last_rows,
    later_arrivals_repeat_no_row,
    entries_of_one_message_to_oneself_are_ordered_by_box,
    the_first_page_of_an_unknown_profile_is_empty,
    counts_and_rows_come_from_the_same_snapshot,
];

pub fn items(page: &MailboxPage) -> Vec<&Item> {
    page.found.items.iter().map(|(_, item)| item).collect()
}

/// Identity of a row.
fn row(item: &Item) -> (MessageId, Msgbox) {
    (item.entry.message_id, item.entry.msgbox)
}

/// A mailbox of bob's, with everything that can be in one: messages from others, to
/// others, to himself, of the app; read, edited, deleted ones.
async fn furnish(fixture: &StoreFixture) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for number in 0..6 {
        fixture.clock().advance(if number == 3 { 0 } else { 10 });
        messages.push(fixture.send("ann", &["bob", "cid"]).await);
        messages.push(fixture.send("bob", &["bob", "ann"]).await);
        fixture.clock().advance(-3);
        messages.push(fixture.announce(&["bob"]).await);
        messages.push(fixture.send("bob", &["cid"]).await);
    }
    let some = |from: usize, step: usize| -> Vec<MessageId> {
        messages.iter().skip(from).step_by(step).copied().collect()
    };
    fixture.done(mark("bob", &some(1, 3), true)).await;
    for message in some(0, 8) {
        fixture.done(edit("ann", message, "edited")).await;
    }
    fixture
        .done(delete("bob", Msgbox::Inbox, &some(4, 9)))
        .await;
    fixture.done(delete("bob", Msgbox::Sent, &some(1, 8))).await;
    messages
}

/// All rows of bob's, found by name and not by scan, in an order.
async fn all_rows(fixture: &StoreFixture, messages: &[MessageId], sort: Sort) -> Vec<Item> {
    let mut all = Vec::new();
    for msgbox in Msgbox::ALL {
        all.extend(
            fixture
                .entries("bob", msgbox, messages, ALL_BYTES)
                .await
                .found,
        );
    }
    match sort.field {
        SortField::CreateTime => all.sort_by_key(row),
        SortField::UpdateTime => all.sort_by_key(|item| item.entry.seq),
    }
    if sort.direction == Direction::Descending {
        all.reverse();
    }
    all
}

/// Bob's mailbox is what these tests turn the pages of.
impl PageSource for StoreFixture {
    type Row = Item;

    async fn found(&self, scan: &Scan) -> Found<Item> {
        self.page("bob", scan).await.found
    }
}

async fn offsets_show_every_row_once_in_each_order_and_back(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in SORTS {
        let expected = all_rows(fixture, &messages, sort).await;
        assert!(expected.len() > 20);
        for rows_per_page in [1, 3, 7, 200] {
            let listing = listing(sort, rows_per_page);
            let shown = there_and_back(fixture, &listing).await;
            assert_eq!(shown, expected, "{sort:?}, {rows_per_page} rows a page");
        }
    }
}

async fn a_page_number_leads_where_offsets_lead(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in SORTS {
        let all = all_rows(fixture, &messages, sort).await;
        let listing = listing(sort, 4);
        let pages = pages(fixture, &listing).await;
        assert_eq!(pages.len(), all.len().div_ceil(4));
        let page_at = |number: i32| &pages[usize::try_from(number - 1).expect("a page")];
        let last = pages.last().expect("a page").position.page;
        for number in 1..=last {
            let jumped = turn(fixture, &listing, PageStep::to(&listing, number)).await;
            assert_eq!(&jumped, page_at(number));
            for to in 1..=last {
                let from = page_at(number).position;
                let landed = step(fixture, &listing, from, to - number).await;
                assert_eq!(landed.items, page_at(to).items, "{number} to {to}");
                assert_eq!(landed.position, page_at(to).position);
                assert_eq!(landed.more_after, to < last);
            }
        }
    }
}

async fn a_page_past_the_end_is_empty_and_one_back_has_the_last_rows(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in SORTS {
        let all = all_rows(fixture, &messages, sort).await;
        let listing = listing(sort, 5);
        let beyond = turn(fixture, &listing, PageStep::to(&listing, 50)).await;
        assert!(beyond.items.is_empty() && beyond.more_before && !beyond.more_after);
        assert_eq!(beyond.position.page, 50);
        for offset in [0, 1, 7] {
            let still = step(fixture, &listing, beyond.position, offset).await;
            assert!(still.items.is_empty() && !still.more_after);
        }
        let last = step(fixture, &listing, beyond.position, -1).await;
        assert_eq!(last.items, all[all.len() - 5..]);
        assert!(!last.more_after && last.more_before);
        for offset in [-49, -50, -51, i32::MIN] {
            let first = step(fixture, &listing, beyond.position, offset).await;
            assert_eq!(first.items, all[..5], "{offset}");
            assert_eq!(first.position.page, 1);
        }
    }
}

async fn later_arrivals_repeat_no_row(fixture: &StoreFixture) {
    let messages = furnish(fixture).await;
    for sort in &SORTS[..2] {
        let expected = all_rows(fixture, &messages, *sort).await;
        let listing = listing(*sort, 3);
        let mut page = turn(fixture, &listing, PageStep::to(&listing, 1)).await;
        let mut shown = page.items.clone();
        while page.more_after && shown.len() < 100 {
            fixture.clock().advance(1);
            fixture.send("ann", &["bob"]).await;
            // A change moves nothing in this order.
            fixture
                .done(mark("bob", &messages[..3], shown.len() % 2 == 0))
                .await;
            page = step(fixture, &listing, page.position, 1).await;
            shown.extend(page.items.iter().cloned());
        }
        let shown: Vec<_> = shown.iter().map(row).collect();
        let there_before: Vec<_> = expected.iter().map(row).collect();
        let of_those = |row: &&(MessageId, Msgbox)| there_before.contains(row);
        let again: Vec<_> = shown.iter().filter(of_those).copied().collect();
        assert_eq!(again, there_before, "{sort:?}");
        let distinct: BTreeSet<_> = shown.iter().collect();
        assert_eq!(distinct.len(), shown.len(), "{sort:?}");
        fixture
            .done(delete("bob", Msgbox::Inbox, &later(&shown, &there_before)))
            .await;
    }
}

fn later(shown: &[(MessageId, Msgbox)], before: &[(MessageId, Msgbox)]) -> Vec<MessageId> {
    let new = shown.iter().filter(|row| !before.contains(row));
    new.map(|(message_id, _)| *message_id).collect()
}

async fn entries_of_one_message_to_oneself_are_ordered_by_box(fixture: &StoreFixture) {
    let [one, two] = [
        fixture.send("bob", &["bob"]).await,
        fixture.send("bob", &["bob"]).await,
    ];
    let rising = [
        (one, Msgbox::Inbox),
        (one, Msgbox::Sent),
        (two, Msgbox::Inbox),
        (two, Msgbox::Sent),
    ];
    for (sort, backwards) in [(SORTS[1], false), (SORTS[0], true)] {
        let mut expected = rising.to_vec();
        if backwards {
            expected.reverse();
        }
        for rows_per_page in 1..=4 {
            let shown = there_and_back(fixture, &listing(sort, rows_per_page)).await;
            assert_eq!(shown.iter().map(row).collect::<Vec<_>>(), expected);
        }
    }
}

async fn the_first_page_of_an_unknown_profile_is_empty(fixture: &StoreFixture) {
    for sort in SORTS {
        let listing = listing(sort, 10);
        let page = turn(fixture, &listing, PageStep::to(&listing, 1)).await;
        assert!(page.items.is_empty() && !page.more_before && !page.more_after);
        let again = step(fixture, &listing, page.position, -1).await;
        assert!(again.items.is_empty() && again.position.page == 1);
    }
}

/// While others write, every page agrees with its own count and position.
async fn counts_and_rows_come_from_the_same_snapshot(fixture: &StoreFixture) {
    const MESSAGES: usize = 40;
    let replica = fixture.replica().await;
    let writing = async {
        for _ in 0..MESSAGES {
            sent(replica.run(&app(), operation(send("ann", &["bob"]))).await);
        }
    };
    let reading = async {
        let mut seen = 0;
        let all_read = Scan {
            criteria: Criteria {
                read: Some(false),
                ..Criteria::default()
            },
            count: true,
            ..everything()
        };
        while seen < MESSAGES {
            for scan in [everything(), all_read.clone()] {
                let page = fixture.page("bob", &scan).await;
                seen = page.found.items.len();
                let number = i64::try_from(seen).expect("few");
                assert_eq!(page.offset.seq, number, "one number for each message");
                assert_eq!(page.found.count.map(|count| count.matches), Some(number));
            }
        }
    };
    tokio::join!(writing, reading);
    replica.close().await;
}
