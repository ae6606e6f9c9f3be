use proto::sys::v1::{GetMessagesForOwnerPageOffsetRequest, GetMessagesForOwnerPageRequest};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{fields, ok, reason, send, send_many};

async fn a_context_is_bound_to_its_owner(test: &TestService) {
    send_many(test, 2).await;
    send(test, "bob", &["alice"]).await;
    let mut app = test.sys();
    let request = GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        context: None,
    };
    let context = ok(app.get_messages_for_owner_page(request)).await.context;
    let turn = |owner: &str| GetMessagesForOwnerPageOffsetRequest {
        owner_profile_id: owner.to_owned(),
        context: context.clone(),
        page_offset: 0,
    };
    let again = ok(app.get_messages_for_owner_page_offset(turn("bob"))).await;
    assert_eq!(again.results.expect("a page").items.len(), 3);
    for other in ["alice", "Bob", "never-seen"] {
        let refused = reason(app.get_messages_for_owner_page_offset(turn(other))).await;
        assert_eq!(refused, "PAGE_CONTEXT_INVALID", "{other}");
    }
    for no_id in ["", "a\nb"] {
        let found = fields(app.get_messages_for_owner_page_offset(turn(no_id))).await;
        assert_eq!(found, ["owner_profile_id"]);
    }
}

on_each_database![a_context_is_bound_to_its_owner];
