//! Sixteen concurrent copies of one request.

use std::collections::BTreeSet;

use futures::future::join_all;
use proto::v1;
use support::boxes;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::TestService;

const TIMES: usize = 16;

async fn the_same_request_16_times_at_once_over_two_replicas_is_one_message(test: &TestService) {
    let (other_store, other) = test.replica().await;
    let token = TestIssuer::shared().user(APP, "alice", test.now_s());
    let replicas = [&test.listeners, &other];
    let sends = (0..TIMES).map(|number| {
        let mut alice = replicas[number % 2].user(&token);
        async move {
            let request = v1::SendMessageSimpleRequest {
                to: vec!["bob".to_owned(), "carol".to_owned()],
                text: "once".to_owned(),
                request_id: "the-one".to_owned(),
                ..Default::default()
            };
            alice
                .send_message_simple(request)
                .await
                .expect("an answer")
                .into_inner()
        }
    });
    let answers = join_all(sends).await;
    let distinct: BTreeSet<String> = answers.iter().map(|answer| format!("{answer:?}")).collect();
    assert_eq!(distinct.len(), 1, "{distinct:#?}");

    for (profile, msgbox) in [("alice", "sent"), ("bob", "inbox"), ("carol", "inbox")] {
        let counts = test
            .user(profile)
            .get_message_counts(v1::GetMessageCountsRequest {})
            .await;
        assert_eq!(
            boxes::named(&counts.expect("counts").into_inner().boxes, msgbox).total,
            1,
            "{profile}"
        );
    }
    other_store.close().await;
}

on_each_database![the_same_request_16_times_at_once_over_two_replicas_is_one_message];
