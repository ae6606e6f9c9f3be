use proto::sys::v1::GetMessagesForOwnerPageRequest;
use proto::v1::{GetMessagesPageRequest, MessagesPage, PageContext, SearchCriteria};
use support::drift;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, fields, mark, ok, reason, send, send_many};

fn of(owner: &str, context: Option<PageContext>) -> GetMessagesForOwnerPageRequest {
    GetMessagesForOwnerPageRequest {
        owner_profile_id: owner.to_owned(),
        context,
    }
}

fn in_box(msgbox: &str) -> PageContext {
    PageContext {
        search_criteria: Some(SearchCriteria {
            msgbox: msgbox.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn page(test: &TestService, owner: &str, context: Option<PageContext>) -> MessagesPage {
    let answer = ok(test.sys().get_messages_for_owner_page(of(owner, context))).await;
    answer.results.expect("a page")
}

async fn the_app_and_the_user_see_the_same_page(test: &TestService) {
    let sent = send_many(test, 2).await;
    announce(test, &["bob"]).await;
    send(test, "bob", &["carol"]).await;
    mark(test, &sent[..1], false).await;
    for context in [None, Some(in_box("inbox")), Some(in_box("sent"))] {
        let request = GetMessagesPageRequest {
            context: context.clone(),
        };
        let seen = ok(test.user("bob").get_messages_page(request))
            .await
            .results;
        assert_eq!(Some(page(test, "bob", context).await), seen);
    }
}

async fn a_read_by_the_app_creates_no_mailbox(test: &TestService) {
    let empty = page(test, "never-seen", None).await;
    assert_eq!((empty.count, empty.page, empty.items.len()), (0, 1, 0));
    assert_eq!(drift::recount(&*test.store.store).await.mailboxes, 0);
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let mut app = test.sys();
    let wrong = PageContext {
        view: 9,
        ..in_box("drafts")
    };
    let found = fields(app.get_messages_for_owner_page(of("", Some(wrong)))).await;
    let expected = [
        "owner_profile_id",
        "context.search_criteria.msgbox",
        "context.view",
    ];
    assert_eq!(found, expected);
    let unknown = app.get_messages_for_owner_page(of("bob", Some(in_box("drafts"))));
    assert_eq!(reason(unknown).await, "MSGBOX_UNKNOWN");
}

on_each_database![
    the_app_and_the_user_see_the_same_page,
    a_read_by_the_app_creates_no_mailbox,
    all_violations_are_reported_at_once,
];
