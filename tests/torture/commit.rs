//! A connection that is cut at the very moment of the commit.

use proto::v1;
use support::boxes;
use support::commit_proxy::{CommitProxy, Moment};
use support::issuer::{APP, TestIssuer};
use support::service::TestService;
use support::store::{DatabaseKind, Fixture, TestDatabase, TestEnvironment as _};
use tonic::{Code, Status};

/// Sends the same request until it is answered; how often it was refused before.
struct CutResult {
    refused: Vec<Status>,
    delivered: u32,
}

async fn cut_at(moment: Moment) -> CutResult {
    let mut test = <TestService as Fixture>::open(DatabaseKind::Postgres.into()).await;
    let TestDatabase::Postgres(database) = test.store.database() else {
        unreachable!("it was asked for")
    };
    // With the app created, no other call commits anything.
    let mut bob = test.user("bob");
    let counts = bob.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.expect("counts");
    let proxy = CommitProxy::before(database.address(), moment).await;
    test.store.options.url = database.url_through(proxy.address());
    let (store, listeners) = test.replica().await;
    let mut alice = listeners.user(&TestIssuer::shared().user(APP, "alice", test.now_s()));
    let send = |request_id: &str| v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "hello".to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    alice
        .send_message_simple(send("before"))
        .await
        .expect("a message");

    proxy.cut_next_commit();
    let mut refused = Vec::new();
    while let Err(status) = alice.send_message_simple(send("cut")).await {
        refused.push(status);
        assert!(refused.len() < 5, "{refused:?}");
    }
    assert_eq!(proxy.cuts(), 1);
    let counts = test
        .user("bob")
        .get_message_counts(v1::GetMessageCountsRequest {})
        .await;
    let delivered = boxes::named(&counts.expect("counts").into_inner().boxes, "inbox").total;
    store.close().await;
    test.end(true).await;
    CutResult { refused, delivered }
}

#[tokio::test]
async fn a_commit_with_a_lost_answer_is_looked_up_and_acknowledged() {
    let cut = cut_at(Moment::AfterCommit).await;
    assert!(cut.refused.is_empty(), "{:?}", cut.refused);
    assert_eq!(cut.delivered, 2);
}

#[tokio::test]
async fn a_commit_that_a_pooler_answers_with_an_error_is_looked_up_and_acknowledged() {
    let cut = cut_at(Moment::AnsweredByError).await;
    assert!(cut.refused.is_empty(), "{:?}", cut.refused);
    assert_eq!(cut.delivered, 2);
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_refused_and_the_retry_is_the_only_message() {
    let cut = cut_at(Moment::BeforeCommit).await;
    assert_eq!(
        cut.refused.iter().map(Status::code).collect::<Vec<_>>(),
        [Code::Unavailable]
    );
    assert_eq!(cut.delivered, 2);
}
