use proto::sys::v1::{
    GetMessagesPageOffsetRequest, GetMessagesPageRequest, RepositoryCriteria, RepositoryPageContext,
};
use proto::v1::{MessageView, Pagination};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, ok, send_many};

async fn a_context_keeps_criteria_view_and_count(test: &TestService) {
    let sent = send_many(test, 2).await;
    announce(test, &["bob"]).await;
    let context = RepositoryPageContext {
        search_criteria: Some(RepositoryCriteria {
            sender_profile_id: "alice".to_owned(),
            ..Default::default()
        }),
        pagination: Some(Pagination {
            rows_per_page: 1,
            do_count: true,
            ..Default::default()
        }),
        view: MessageView::Metadata.into(),
        ..Default::default()
    };
    let mut app = test.sys();
    let request = GetMessagesPageRequest {
        context: Some(context),
    };
    let first = ok(app.get_messages_page(request)).await;
    let request = GetMessagesPageOffsetRequest {
        context: first.context,
        page_offset: 1,
    };
    let page = ok(app.get_messages_page_offset(request))
        .await
        .results
        .expect("a page");
    assert_eq!((page.count, page.page, page.items.len()), (2, 2, 1));
    let message = &page.items[0];
    assert_eq!(message.message_id, sent[0]);
    assert!(message.content.is_none() && message.digest.len() == 32);
}

on_each_database![a_context_keeps_criteria_view_and_count];
