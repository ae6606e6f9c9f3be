use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::block_profile::block;
use crate::api::builders::{ok, reason};

fn page(page_size: u32, page_token: &str) -> v1::ListBlocksRequest {
    v1::ListBlocksRequest {
        page_size,
        page_token: page_token.to_owned(),
    }
}

/// Profiles of a page, and the token of the next one.
async fn list(test: &TestService, who: &str, page_size: u32, token: &str) -> (Vec<String>, String) {
    let listed = ok(test.user(who).list_blocks(page(page_size, token))).await;
    let now_s = test.now_s();
    let times = listed.blocks.iter().map(|block| block.create_time);
    assert!(times.flatten().all(|time| time.seconds <= now_s));
    let profiles = listed.blocks.into_iter().map(|block| block.profile_id);
    (profiles.collect(), listed.next_page_token)
}

async fn all_blocks_are_on_the_pages_once(test: &TestService) {
    for other in ["d", "a", "c", "B", "a"] {
        block(test, "bob", other).await;
    }
    let (first, token) = list(test, "bob", 2, "").await;
    let (second, end) = list(test, "bob", 2, &token).await;
    assert_eq!([first, second], [["B", "a"], ["c", "d"]]);
    assert_eq!(end, "");
    assert_eq!(list(test, "bob", 0, "").await.0.len(), 4);
    assert_eq!(list(test, "eve", 0, "").await, (vec![], String::new()));
}

async fn the_token_of_a_page_is_bound_to_its_owner(test: &TestService) {
    for other in ["a", "b"] {
        block(test, "bob", other).await;
    }
    let (_, token) = list(test, "bob", 1, "").await;
    for (who, token) in [("eve", token.as_str()), ("bob", "x")] {
        let refused = reason(test.user(who).list_blocks(page(1, token))).await;
        assert_eq!(refused, "PAGE_CONTEXT_INVALID");
    }
}

on_each_database![
    all_blocks_are_on_the_pages_once,
    the_token_of_a_page_is_bound_to_its_owner,
];
