use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::separate;
use crate::api::builders::{ok, reason};

fn page(page_size: u32, page_token: &str) -> v1::ListConversationsRequest {
    v1::ListConversationsRequest {
        page_size,
        page_token: page_token.to_owned(),
    }
}

/// Ids of all conversations of a user, page by page.
async fn listed(test: &TestService, who: &str, page_size: u32, total: u32) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let request = page(page_size, &token);
        let answer = ok(test.conversations(who).list_conversations(request)).await;
        assert_eq!(answer.total_count, total);
        let ids = answer.conversations.into_iter();
        pages.push(ids.map(|it| it.conversation_id).collect());
        token = answer.next_page_token;
        if token.is_empty() {
            return pages;
        }
    }
}

async fn the_latest_conversations_come_first_each_once(test: &TestService) {
    let mut ids = Vec::new();
    for _ in 0..21 {
        ids.push(separate(test, "alice", &["bob"]).await.conversation_id);
        test.store.clock.advance(1);
    }
    ids.reverse();
    for (page_size, first) in [(0, 20), (1_000, 20), (8, 8)] {
        let pages = listed(test, "bob", page_size, 21).await;
        assert_eq!(pages[0].len(), first);
        assert_eq!(pages.concat(), ids);
    }
    assert_eq!(listed(test, "carol", 0, 0).await, [[""; 0]]);
}

async fn conversations_of_one_time_are_listed_once(test: &TestService) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(separate(test, "alice", &["bob"]).await.conversation_id);
    }
    let mut pages = listed(test, "alice", 2, 5).await.concat();
    pages.sort();
    ids.sort();
    assert_eq!(pages, ids);
}

async fn the_token_of_a_page_is_bound_to_its_owner(test: &TestService) {
    for _ in 0..2 {
        separate(test, "alice", &["bob"]).await;
    }
    let first = ok(test.conversations("alice").list_conversations(page(1, ""))).await;
    for (who, token) in [("bob", &*first.next_page_token), ("alice", "x")] {
        assert_eq!(
            reason(test.conversations(who).list_conversations(page(1, token))).await,
            "PAGE_CONTEXT_INVALID"
        );
    }
}

on_each_database![
    the_latest_conversations_come_first_each_once,
    conversations_of_one_time_are_listed_once,
    the_token_of_a_page_is_bound_to_its_owner,
];
