use futures::future::join_all;
use proto::sys::v1::UpdateMessageRequest;
use support::on_each_database;
use support::service::{InProcessApp, TestService};
use tonic::Status;

use crate::api::builders::{
    UNKNOWN, announce, counts, delete, entry, fields, mark, ok, reason, reason_of, send, stored,
    text,
};

fn updating(id: &str, to: &str, expected_version: Option<i64>) -> UpdateMessageRequest {
    UpdateMessageRequest {
        message_id: id.to_owned(),
        content: Some(text(to)),
        expected_version,
        ..Default::default()
    }
}

async fn update(mut app: InProcessApp, id: &str, expected: Option<i64>) -> Result<i64, String> {
    let answer: Result<_, Status> = app.update_message(updating(id, "new", expected)).await;
    answer
        .map(|updated| updated.into_inner().version)
        .map_err(|status| reason_of(&status))
}

async fn every_holder_sees_the_new_content_and_read_flags_stay(test: &TestService) {
    let id = send(test, "alice", &["bob", "carol", "dora"]).await;
    mark(test, &[&id], false).await;
    delete(test, "dora", "inbox", &[&id]).await;
    let read = entry(test, "bob", "inbox", &id).await;
    test.store.clock.advance(1000);
    let updated = ok(test.sys().update_message(updating(&id, "new", None))).await;
    assert_eq!((&updated.message_id, updated.version), (&id, 2));
    let message = stored(test, &id).await;
    assert!(message.modified && message.version == 2);
    assert_eq!(message.content, Some(text("new")));
    assert_eq!(
        (&message.digest, message.update_time),
        (&updated.digest, updated.update_time)
    );
    for (who, msgbox, version) in [
        ("alice", "sent", 2),
        ("bob", "inbox", 3),
        ("carol", "inbox", 2),
    ] {
        let entry = entry(test, who, msgbox, &id).await;
        assert_eq!(
            (entry.version, entry.update_time),
            (version, updated.update_time)
        );
        assert_eq!(entry.message.as_ref(), Some(&message), "{who}");
    }
    let after = entry(test, "bob", "inbox", &id).await;
    assert!(after.read && after.read_time == read.read_time);
    assert_eq!(counts(test, "bob").await, (1, 0, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
    assert_eq!(counts(test, "dora").await, (0, 0, 0));
}

async fn the_same_content_is_an_update_too(test: &TestService) {
    let id = announce(test, &["bob"]).await;
    let before = stored(test, &id).await;
    let updated = ok(test.sys().update_message(updating(&id, "news", Some(1)))).await;
    let after = stored(test, &id).await;
    assert_eq!((updated.version, after.modified), (2, true));
    assert_eq!(
        (after.digest, after.content),
        (before.digest, before.content)
    );
}

async fn an_update_may_expect_a_version(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let stale = Err("MESSAGE_VERSION_MISMATCH".to_owned());
    let invalid = Err("INVALID_REQUEST".to_owned());
    for (expected, told) in [
        (Some(2), stale.clone()),
        (Some(1), Ok(2)),
        (Some(1), stale),
        (Some(-1), Ok(3)),
        (None, Ok(4)),
        (Some(4), Ok(5)),
        (Some(0), invalid.clone()),
        (Some(-2), invalid),
    ] {
        assert_eq!(
            update(test.sys(), &id, expected).await,
            told,
            "{expected:?}"
        );
    }
    assert_eq!(stored(test, &id).await.version, 5);
}

async fn one_of_several_updates_that_expect_the_same_version_wins(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let (store, listeners) = test.replica().await;
    let token = {
        use support::issuer::{ALL_SCOPES, APP, TestIssuer};
        TestIssuer::shared().sys(APP, ALL_SCOPES, test.now_s())
    };
    let replicas = [test.sys(), listeners.sys(&token)];
    let mut won = 0;
    for round in 1..=8 {
        let writers = (0..32).map(|writer| update(replicas[writer % 2].clone(), &id, Some(round)));
        let told = join_all(writers).await;
        let winners = told.iter().filter(|told| **told == Ok(round + 1)).count();
        let stale = Err("MESSAGE_VERSION_MISMATCH".to_owned());
        let losers = told.iter().filter(|told| **told == stale).count();
        assert_eq!((winners, losers), (1, 31), "{told:?}");
        won += 1;
    }
    assert_eq!(stored(test, &id).await.version, 1 + won);
    store.close().await;
}

async fn the_last_version_is_the_number_of_updates_that_were_answered(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let mut answered = 0;
    for _ in 0..4 {
        let writers = (0..32).map(|_| async {
            // Reading and writing in turn, as a client does that does not give up.
            let known = stored(test, &id).await.version;
            update(test.sys(), &id, Some(known)).await
        });
        let told = join_all(writers).await;
        answered += told.iter().filter(|told| told.is_ok()).count();
    }
    assert!(answered >= 4);
    let version = stored(test, &id).await.version;
    assert_eq!(usize::try_from(version).expect("a version"), 1 + answered);
    assert_eq!(entry(test, "bob", "inbox", &id).await.version, version);
}

async fn a_message_that_is_not_there_is_not_found(test: &TestService) {
    for (id, expected) in [(UNKNOWN, None), (UNKNOWN, Some(7)), ("no-uuid", None)] {
        let told = update(test.sys(), id, expected).await;
        assert_eq!(told, Err("MESSAGE_NOT_FOUND".to_owned()));
    }
    let id = send(test, "alice", &["bob"]).await;
    let request = UpdateMessageRequest {
        content: Some(text(&"x".repeat(32 * 1024))),
        ..updating(&id, "", None)
    };
    let refused = reason(test.sys().update_message(request)).await;
    assert_eq!(refused, "MESSAGE_TOO_LARGE");
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = UpdateMessageRequest {
        expected_version: Some(0),
        request_id: "a b".to_owned(),
        ..Default::default()
    };
    let found = fields(test.sys().update_message(request)).await;
    let wrong = ["message_id", "content", "expected_version", "request_id"];
    assert_eq!(found, wrong);
}

on_each_database![
    every_holder_sees_the_new_content_and_read_flags_stay,
    the_same_content_is_an_update_too,
    an_update_may_expect_a_version,
    one_of_several_updates_that_expect_the_same_version_wins,
    the_last_version_is_the_number_of_updates_that_were_answered,
    a_message_that_is_not_there_is_not_found,
    all_violations_are_reported_at_once,
];
