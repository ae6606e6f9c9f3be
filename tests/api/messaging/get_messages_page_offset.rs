use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, mark, ok, send_many, text};
use crate::api::pages::{PageReader, PagedMethod, ids_of, rows};

async fn a_context_keeps_criteria_view_and_count(test: &TestService) {
    let sent = send_many(test, 3).await;
    announce(test, &["bob"]).await;
    let context = v1::PageContext {
        search_criteria: Some(v1::SearchCriteria {
            sender_profile_id: "alice".to_owned(),
            ..Default::default()
        }),
        pagination: Some(v1::Pagination {
            rows_per_page: 1,
            do_count: true,
            ..Default::default()
        }),
        view: v1::MessageView::Metadata.into(),
        ..Default::default()
    };
    let mut bob = test.user("bob");
    let request = v1::GetMessagesPageRequest {
        context: Some(context),
    };
    let mut context = ok(bob.get_messages_page(request)).await.context;
    for id in sent[..2].iter().rev() {
        let request = v1::GetMessagesPageOffsetRequest {
            context,
            page_offset: 1,
        };
        let page = ok(bob.get_messages_page_offset(request)).await;
        let results = page.results.expect("a page");
        assert_eq!((results.count, results.items.len()), (3, 1));
        let item = &results.items[0];
        assert_eq!(item.message_id, *id);
        let message = item.message.as_ref().expect("a message");
        assert!(message.content.is_none() && message.digest.len() == 32);
        context = page.context;
    }
}

async fn a_page_shows_the_current_state_of_its_entries(test: &TestService) {
    let id = send_many(test, 1).await.remove(0);
    let mut bob = test.user("bob");
    let first = ok(bob.get_messages_page(v1::GetMessagesPageRequest::default())).await;
    mark(test, &[&id], false).await;
    let request = v1::GetMessagesPageOffsetRequest {
        context: first.context,
        page_offset: 0,
    };
    let page = ok(bob.get_messages_page_offset(request)).await;
    let results = page.results.expect("a page");
    assert!(results.items[0].read && results.items[0].version == 2);
    let message = results.items[0].message.clone().expect("a message");
    assert_eq!(message.content, Some(text("hi")));
    assert_ne!(results.cursor, first.results.expect("a page").cursor);
}

async fn entries_that_stop_matching_hide_no_other_entries(test: &TestService) {
    let sent = send_many(test, 6).await;
    let unread = v1::PageContext {
        search_criteria: Some(v1::SearchCriteria {
            read: Some(false),
            ..Default::default()
        }),
        ..rows(2)
    };
    let mut reader = PageReader::of(test);
    let first = reader.page(PagedMethod::Own, unread).await;
    mark(test, &first.ids, false).await;
    let next = reader.turn(PagedMethod::Own, &first, 1).await;
    let rest = ids_of(&reader.walk(PagedMethod::Own, next).await);
    let expected: Vec<_> = sent[..4].iter().rev().cloned().collect();
    assert_eq!(rest, expected);
}

on_each_database![
    a_context_keeps_criteria_view_and_count,
    a_page_shows_the_current_state_of_its_entries,
    entries_that_stop_matching_hide_no_other_entries,
];
