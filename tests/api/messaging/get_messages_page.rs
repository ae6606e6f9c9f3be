mod criteria;

use prost_types::Timestamp;
use proto::v1::{GetMessagesPageRequest, PageContext, Pagination, SearchCriteria};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{entry, fields, message, ok, reason, send, text};
use crate::api::pages::{PageReader, PagedMethod, ascending, ids_of, rows};

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

async fn entries_are_those_that_the_methods_by_id_show(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let page = ok(test
        .user("bob")
        .get_messages_page(GetMessagesPageRequest::default()))
    .await;
    let items = page.results.expect("a page").items;
    assert_eq!(items, [entry(test, "bob", "inbox", &id).await]);
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
    let mut reader = PageReader::of(test);
    let first = reader.page(PagedMethod::Own, rows(1)).await;
    assert_eq!(reader.walk(PagedMethod::Own, first).await.len(), 4);
}

async fn a_call_examines_2000_rows_and_sets_more(test: &TestService) {
    let rare = send(test, "carol", &["bob"]).await;
    for _ in 0..9 {
        let sends = (0..250).map(|_| send(test, "alice", &["bob"]));
        futures::future::join_all(sends).await;
    }
    let criteria = SearchCriteria {
        sender_profile_id: "carol".to_owned(),
        ..Default::default()
    };
    let mut reader = PageReader::of(test);
    for listing in [PagedMethod::Own, PagedMethod::OfOwner] {
        let first = reader.page(listing, matching(criteria.clone())).await;
        assert_eq!((first.ids.len(), first.more), (0, (false, true)));
        assert_eq!(first.count, (1, false));
        let pages = reader.walk(listing, first).await;
        assert_eq!(ids_of(&pages), [rare.as_str()]);
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let nonsense = Some(Timestamp {
        seconds: 0,
        nanos: -1,
    });
    let criteria = SearchCriteria {
        msgbox: "drafts".to_owned(),
        read: None,
        sender_profile_id: "a\nb".to_owned(),
        to_profile_id: "x".repeat(257),
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
        "sender_profile_id",
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
    the_two_entries_of_a_message_to_oneself_are_inbox_and_then_sent,
    a_call_examines_2000_rows_and_sets_more,
    all_violations_are_reported_at_once,
];
