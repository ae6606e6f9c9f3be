use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::block_profile::block;
use crate::api::builders::{counts, ok, send};

async fn a_profile_is_unblocked_for_later_messages(test: &TestService) {
    block(test, "bob", "eve").await;
    send(test, "eve", &["bob"]).await;
    for _ in 0..2 {
        let request = v1::UnblockProfileRequest {
            profile_id: "eve".to_owned(),
            request_id: String::new(),
        };
        ok(test.user("bob").unblock_profile(request)).await;
    }
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    send(test, "eve", &["bob"]).await;
    send(test, "bob", &["eve"]).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 1));
    assert_eq!(counts(test, "eve").await, (1, 1, 2));
}

on_each_database![a_profile_is_unblocked_for_later_messages];
