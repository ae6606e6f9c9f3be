//! Pages of the log.

use domain::{MessageId, Millis};
use storage::AuditPosition;

use super::*;

on_each_database![
    pages_neither_skip_nor_repeat_records,
    a_filter_finds_records_by_time_method_subject_and_ids,
    a_record_is_shown_once_it_is_numbered,
];

/// All records that meet a filter, in pages of some rows.
async fn pages(fixture: &StoreFixture, filter: &AuditFilter, rows: u32) -> Vec<AuditEntry> {
    let (mut entries, mut after) = (Vec::new(), None::<AuditPosition>);
    loop {
        let page = fixture.store.audit_page(&app(), filter, after, rows).await;
        let page = page.expect("a page");
        assert!(page.entries.len() <= rows as usize);
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return entries;
        }
    }
}

fn numbers(entries: &[AuditEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.link.no).collect()
}

async fn pages_neither_skip_nor_repeat_records(fixture: &StoreFixture) {
    // Several in each millisecond.
    for number in 0..1_100 {
        fixture.clock().advance(i64::from(number % 4 == 0));
        let read = operation(
            RecordRead {
                ids: vec![],
                messages: number,
            }
            .into(),
        );
        let recorded = fixture.store.execute(&app(), read, audited()).await;
        recorded.expect("a record");
    }
    chain(fixture, &fixture.store).await;
    let everything = AuditFilter::default();
    for rows in [7, 50, 200] {
        let entries = pages(fixture, &everything, rows).await;
        assert_eq!(numbers(&entries), (1..=1_100).rev().collect::<Vec<i64>>());
    }
}

/// Filters of four records, with the numbers of those that they show. `time` is that of a record, and
/// `last` the message of the last one.
fn filters(
    time: impl Fn(usize) -> Option<Millis>,
    last: MessageId,
) -> Vec<(AuditFilter, Vec<i64>)> {
    let filter = AuditFilter::default;
    let text = |text: &str| Some(text.to_owned());
    vec![
        (
            AuditFilter {
                after: time(1),
                ..filter()
            },
            vec![4, 3],
        ),
        (
            AuditFilter {
                before: time(1),
                ..filter()
            },
            vec![1],
        ),
        (
            AuditFilter {
                after: time(0),
                before: time(3),
                ..filter()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                before: Some(Millis(0)),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                method: text("postroom.sys.v1.Sys/Test"),
                ..filter()
            },
            vec![4, 3, 2, 1],
        ),
        (
            AuditFilter {
                method: text("Test"),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                subject: text(SUBJECT),
                ..filter()
            },
            vec![4, 3, 2, 1],
        ),
        (
            AuditFilter {
                subject: text("ann"),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                touched_id: text("cid"),
                ..filter()
            },
            vec![3],
        ),
        (
            AuditFilter {
                touched_id: text(&last.to_string()),
                ..filter()
            },
            vec![4],
        ),
        (
            AuditFilter {
                touched_id: text(SUBJECT),
                ..filter()
            },
            vec![],
        ),
        (
            AuditFilter {
                touched_id: text("cid"),
                before: time(2),
                ..filter()
            },
            vec![],
        ),
    ]
}

async fn a_filter_finds_records_by_time_method_subject_and_ids(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        fixture.clock().advance(10);
        let sent = change(fixture, announce(&[name])).await;
        messages.push(super::sent(sent.map_err(refusal)));
    }
    let entries = records(fixture).await;
    let time = |index: usize| Some(entries[index].record.time);
    for (filter, expected) in filters(time, messages[3]) {
        assert_eq!(
            numbers(&pages(fixture, &filter, 2).await),
            expected,
            "{filter:?}"
        );
    }
    let other = other_app("other");
    let none = fixture
        .store
        .audit_page(&other, &AuditFilter::default(), None, 50)
        .await;
    assert_eq!(none.expect("a page").entries, []);
}

async fn a_record_is_shown_once_it_is_numbered(fixture: &StoreFixture) {
    change(fixture, to_all()).await.expect("a message");
    assert_eq!(pages(fixture, &AuditFilter::default(), 50).await, []);
    chain(fixture, &fixture.store).await;
    assert_eq!(pages(fixture, &AuditFilter::default(), 50).await.len(), 1);
}
