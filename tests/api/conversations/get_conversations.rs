use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::separate;
use crate::api::builders::{UNKNOWN, fields, ok, strings};

fn named(ids: &[impl AsRef<str>]) -> v1::GetConversationsRequest {
    v1::GetConversationsRequest {
        conversation_ids: strings(ids),
    }
}

async fn conversations_come_in_the_order_of_the_request(test: &TestService) {
    let one = separate(test, "alice", &["bob"]).await;
    let two = separate(test, "bob", &["alice"]).await;
    let foreign = separate(test, "carol", &["dan"]).await;
    let ids = [
        &*two.conversation_id,
        UNKNOWN,
        &*one.conversation_id,
        &*foreign.conversation_id,
        &*two.conversation_id,
        "no uuid",
    ];
    let found = ok(test.conversations("alice").get_conversations(named(&ids))).await;
    assert_eq!(found.conversations, [two, one]);
    let missing = [UNKNOWN, &*foreign.conversation_id, "no uuid"];
    assert_eq!(found.missing_conversation_ids, missing);
}

async fn users_of_another_app_see_none(test: &TestService) {
    let one = separate(test, "alice", &["bob"]).await;
    let mut other = test.conversations_of("other", "alice");
    let found = ok(other.get_conversations(named(&[&one.conversation_id]))).await;
    assert_eq!(found.conversations, []);
    let listed = ok(other.list_conversations(v1::ListConversationsRequest::default())).await;
    assert_eq!(listed.total_count, 0);
}

async fn ids_are_bounded_in_number(test: &TestService) {
    for ids in [vec![], vec![UNKNOWN; 21]] {
        let told = fields(test.conversations("alice").get_conversations(named(&ids))).await;
        assert_eq!(told, ["conversation_ids"]);
    }
    let all = vec![UNKNOWN; 20];
    ok(test.conversations("alice").get_conversations(named(&all))).await;
}

on_each_database![
    conversations_come_in_the_order_of_the_request,
    users_of_another_app_see_none,
    ids_are_bounded_in_number,
];
