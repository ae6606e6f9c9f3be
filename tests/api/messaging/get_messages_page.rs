use prost_types::Timestamp;
use proto::v1::{GetMessagesPageRequest, MessageKind, PageContext, Pagination, SearchCriteria};
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use crate::api::pages::{Listing, Reader, ascending, ids_of, rows};
use crate::api::words::{
    announce, counts, entry, fields, mark, message, ok, reason, send, send_many, text,
};

fn matching(criteria: SearchCriteria) -> PageContext {
    PageContext {
        search_criteria: Some(criteria),
        pagination: Some(Pagination {
            do_count: true,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Bob's entries that match, oldest first, as he and the app see them.
async fn found(test: &TestService, criteria: SearchCriteria) -> Vec<String> {
    let mut reader = Reader::of(test);
    let context = ascending(matching(criteria));
    let own = reader.page(Listing::Own, context.clone()).await;
    let of_owner = reader.page(Listing::OfOwner, context).await;
    assert_eq!(own.ids, of_owner.ids);
    assert_eq!(
        own.count,
        (own.ids.len().try_into().expect("a count"), false)
    );
    own.ids
}

fn second(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp {
        seconds: START.0 / 1000 + seconds,
        nanos,
    }
}

async fn entries_are_those_that_the_methods_by_id_show(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let page = ok(test
        .user("bob")
        .get_messages_page(GetMessagesPageRequest::default()))
    .await;
    let items = page.results.expect("a page").items;
    assert_eq!(items, [entry(test, "bob", "inbox", &id).await]);
}

#[expect(
    clippy::too_many_lines,
    reason = "one scene, one row for each criterion"
)]
async fn each_criterion_keeps_what_it_says(test: &TestService) {
    let from_alice = send(test, "alice", &["bob", "dora"]).await;
    let from_carol = send(test, "carol", &["bob"]).await;
    let system = announce(test, &["bob"]).await;
    let to_alice = send(test, "bob", &["alice"]).await;
    mark(test, &[&from_carol], false).await;
    let profile = str::to_owned;
    for (criteria, expected) in [
        (
            SearchCriteria {
                msgbox: profile("inbox"),
                ..Default::default()
            },
            vec![&from_alice, &from_carol, &system],
        ),
        (
            SearchCriteria {
                msgbox: profile("sent"),
                ..Default::default()
            },
            vec![&to_alice],
        ),
        (
            SearchCriteria {
                read: Some(true),
                ..Default::default()
            },
            vec![&from_carol],
        ),
        (
            SearchCriteria {
                read: Some(false),
                ..Default::default()
            },
            vec![&from_alice, &system, &to_alice],
        ),
        (
            SearchCriteria {
                from_profile_id: profile("alice"),
                ..Default::default()
            },
            vec![&from_alice],
        ),
        (
            SearchCriteria {
                from_profile_id: profile("bob"),
                ..Default::default()
            },
            vec![&to_alice],
        ),
        (
            SearchCriteria {
                to_profile_id: profile("alice"),
                ..Default::default()
            },
            vec![&to_alice],
        ),
        (
            SearchCriteria {
                to_profile_id: profile("dora"),
                ..Default::default()
            },
            vec![&from_alice],
        ),
        (
            SearchCriteria {
                party_profile_id: profile("alice"),
                ..Default::default()
            },
            vec![&from_alice, &to_alice],
        ),
        (
            SearchCriteria {
                kind: MessageKind::System.into(),
                ..Default::default()
            },
            vec![&system],
        ),
        (
            SearchCriteria {
                kind: MessageKind::Bulk.into(),
                ..Default::default()
            },
            vec![],
        ),
        (
            SearchCriteria {
                msgbox: profile("inbox"),
                read: Some(false),
                to_profile_id: profile("bob"),
                kind: MessageKind::Regular.into(),
                ..Default::default()
            },
            vec![&from_alice],
        ),
        (
            SearchCriteria {
                from_profile_id: profile("alice"),
                to_profile_id: profile("alice"),
                ..Default::default()
            },
            vec![],
        ),
    ] {
        let found = found(test, criteria.clone()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{criteria:?}");
    }
}

async fn bounds_of_time_are_exclusive(test: &TestService) {
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(send(test, "alice", &["bob"]).await);
        test.store.clock.advance(1000);
    }
    mark(test, &sent[..1], false).await;
    let after = |time| SearchCriteria {
        sent_after: Some(time),
        ..Default::default()
    };
    let before = |time| SearchCriteria {
        sent_before: Some(time),
        ..Default::default()
    };
    let updated = |time| SearchCriteria {
        updated_after: Some(time),
        ..Default::default()
    };
    assert_eq!(found(test, after(second(1, 0))).await, sent[2..]);
    assert_eq!(found(test, after(second(0, 999_999_999))).await, sent[1..]);
    assert_eq!(found(test, before(second(1, 0))).await, sent[..1]);
    assert_eq!(found(test, before(second(1, 1))).await, sent[..2]);
    assert_eq!(found(test, updated(second(2, 0))).await, sent[..1]);
    assert_eq!(found(test, updated(second(3, 0))).await, [""; 0]);
    let between = SearchCriteria {
        sent_before: Some(second(2, 0)),
        ..after(second(0, 0))
    };
    assert_eq!(found(test, between).await, sent[1..2]);
}

async fn the_count_of_a_box_is_free(test: &TestService) {
    send_many(test, 3).await;
    send(test, "bob", &["alice"]).await;
    assert_eq!(counts(test, "bob").await, (3, 3, 1));
    let mut reader = Reader::of(test);
    for (criteria, count) in [
        (SearchCriteria::default(), 4),
        (
            SearchCriteria {
                msgbox: "inbox".to_owned(),
                ..Default::default()
            },
            3,
        ),
        (
            SearchCriteria {
                msgbox: "sent".to_owned(),
                ..Default::default()
            },
            1,
        ),
        (
            SearchCriteria {
                read: Some(false),
                ..Default::default()
            },
            -1,
        ),
        (
            SearchCriteria {
                msgbox: "inbox".to_owned(),
                from_profile_id: "alice".to_owned(),
                ..Default::default()
            },
            -1,
        ),
    ] {
        let context = PageContext {
            search_criteria: Some(criteria),
            ..rows(1)
        };
        let page = reader.page(Listing::Own, context).await;
        assert_eq!(page.count, (count, false));
    }
}

async fn the_two_entries_of_a_message_to_oneself_are_inbox_and_then_sent(test: &TestService) {
    let mut sent = Vec::new();
    for _ in 0..2 {
        let request = message(&["bob"], text("note"));
        sent.push(ok(test.user("bob").send_message(request)).await.message_id);
    }
    let mut bob = test.user("bob");
    let expected: Vec<_> = sent
        .iter()
        .flat_map(|id| ["inbox", "sent"].map(|msgbox| (id.clone(), msgbox.to_owned())))
        .collect();
    for (context, expected) in [
        (ascending(rows(0)), expected.clone()),
        (rows(0), expected.into_iter().rev().collect()),
    ] {
        let request = GetMessagesPageRequest {
            context: Some(context),
        };
        let page = ok(bob.get_messages_page(request))
            .await
            .results
            .expect("a page");
        let shown = page
            .items
            .into_iter()
            .map(|item| (item.message_id, item.msgbox));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }
    let mut reader = Reader::of(test);
    let first = reader.page(Listing::Own, rows(1)).await;
    assert_eq!(reader.walk(Listing::Own, first).await.len(), 4);
}

async fn a_call_examines_2000_rows_and_says_that_there_may_be_more(test: &TestService) {
    let rare = send(test, "carol", &["bob"]).await;
    for _ in 0..9 {
        let sends = (0..250).map(|_| send(test, "alice", &["bob"]));
        futures::future::join_all(sends).await;
    }
    let criteria = SearchCriteria {
        from_profile_id: "carol".to_owned(),
        ..Default::default()
    };
    let mut reader = Reader::of(test);
    for listing in [Listing::Own, Listing::OfOwner] {
        let first = reader.page(listing, matching(criteria.clone())).await;
        assert_eq!((first.ids.len(), first.more), (0, (false, true)));
        assert_eq!(first.count, (1, false));
        let pages = reader.walk(listing, first).await;
        assert_eq!(ids_of(&pages), [rare.as_str()]);
    }
}

async fn everything_that_is_wrong_is_said_at_once(test: &TestService) {
    let nonsense = Some(Timestamp {
        seconds: 0,
        nanos: -1,
    });
    let criteria = SearchCriteria {
        msgbox: "drafts".to_owned(),
        read: None,
        from_profile_id: "a b".to_owned(),
        to_profile_id: "x".repeat(129),
        party_profile_id: "\0".to_owned(),
        kind: 4,
        sent_after: nonsense,
        sent_before: nonsense,
        updated_after: nonsense,
        conversation_id: "c".to_owned(),
    };
    let request = GetMessagesPageRequest {
        context: Some(matching(criteria)),
    };
    let mut found = fields(test.user("bob").get_messages_page(request)).await;
    found.sort();
    let mut expected = [
        "msgbox",
        "from_profile_id",
        "to_profile_id",
        "party_profile_id",
        "kind",
        "sent_after",
        "sent_before",
        "updated_after",
        "conversation_id",
    ]
    .map(|field| format!("context.search_criteria.{field}"));
    expected.sort();
    assert_eq!(found, expected);
    let unknown = GetMessagesPageRequest {
        context: Some(matching(SearchCriteria {
            msgbox: "INBOX".to_owned(),
            ..Default::default()
        })),
    };
    let reason = reason(test.user("bob").get_messages_page(unknown)).await;
    assert_eq!(reason, "MSGBOX_UNKNOWN");
}

on_each_database![
    entries_are_those_that_the_methods_by_id_show,
    each_criterion_keeps_what_it_says,
    bounds_of_time_are_exclusive,
    the_count_of_a_box_is_free,
    the_two_entries_of_a_message_to_oneself_are_inbox_and_then_sent,
    a_call_examines_2000_rows_and_says_that_there_may_be_more,
    everything_that_is_wrong_is_said_at_once,
];
