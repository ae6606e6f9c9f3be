use proto::sys::v1 as sys;
use proto::v1::DeleteScope::{Everyone, OwnCopy};
use proto::v1::{DeleteMessagesRequest, DeleteMessagesResponse};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    UNKNOWN, announce, configure, counts, delete, deletion, fields, is_stored, ok, reason, send,
    send_many,
};

/// Deletes a message for everyone, as one of its holders.
async fn recall(
    test: &TestService,
    who: &str,
    msgbox: &str,
    ids: &[impl AsRef<str>],
) -> DeleteMessagesResponse {
    ok(test
        .user(who)
        .delete_messages(deletion(msgbox, ids, Everyone)))
    .await
}

/// Asserts that a holder may not delete a message for everyone.
async fn assert_not_allowed(test: &TestService, who: &str, msgbox: &str, ids: &[&String]) {
    let request = deletion(msgbox, ids, Everyone);
    let reason = reason(test.user(who).delete_messages(request)).await;
    assert_eq!(reason, "NOT_ALLOWED_BY_POLICY", "{who} in {msgbox}");
}

async fn recipients_may(test: &TestService) {
    let settings = sys::AppSettings {
        recipients_may_delete_for_everyone: Some(true),
        ..Default::default()
    };
    configure(test, settings).await;
}

async fn a_deletion_of_the_own_copy_leaves_all_other_copies(test: &TestService) {
    let ids = send_many(test, 2).await;
    let asked = [&ids[0], &ids[0], UNKNOWN, "no-uuid"];
    let request = deletion("inbox", &asked, OwnCopy);
    let deleted = ok(test.user("bob").delete_messages(request.clone())).await;
    assert_eq!((deleted.requested, deleted.actual), (3, 1));
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "alice").await, (0, 0, 2));
    assert!(is_stored(test, &ids[0]).await);
    let again = ok(test.user("bob").delete_messages(request)).await;
    assert_eq!((again.requested, again.actual), (3, 0));
}

async fn the_default_scope_is_the_own_copy(test: &TestService) {
    let id = send(test, "bob", &["bob", "carol"]).await;
    let request = DeleteMessagesRequest {
        scope: 0,
        ..deletion("sent", &[&id], OwnCopy)
    };
    assert_eq!(
        ok(test.user("bob").delete_messages(request)).await.actual,
        1
    );
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
}

async fn a_sender_deletes_for_everyone(test: &TestService) {
    let ids = [
        send(test, "alice", &["alice", "bob"]).await,
        send(test, "alice", &["bob", "carol"]).await,
    ];
    let asked = [&ids[0], &ids[1], UNKNOWN, &ids[1], "no-uuid"];
    let deleted = recall(test, "alice", "sent", &asked).await;
    assert_eq!((deleted.requested, deleted.actual), (4, 2));
    for who in ["alice", "bob", "carol"] {
        assert_eq!(counts(test, who).await, (0, 0, 0));
    }
    assert!(!is_stored(test, &ids[0]).await);
    assert_eq!(recall(test, "alice", "sent", &ids).await.actual, 0);
}

async fn a_sender_stays_the_sender_without_the_own_copy(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(delete(test, "alice", "sent", &[&id]).await, 1);
    assert_eq!(recall(test, "alice", "sent", &[&id]).await.actual, 1);
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
}

async fn a_recipient_deletes_for_everyone_only_where_the_policy_allows_it(test: &TestService) {
    let id = send(test, "alice", &["bob", "carol"]).await;
    assert_not_allowed(test, "bob", "inbox", &[&id]).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));

    recipients_may(test).await;
    assert_eq!(recall(test, "bob", "inbox", &[&id]).await.actual, 1);
    assert_eq!(counts(test, "carol").await, (0, 0, 0));
    assert_eq!(counts(test, "alice").await, (0, 0, 0));
}

async fn the_policy_can_forbid_a_sender_to_delete_for_everyone(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let settings = sys::AppSettings {
        allow_delete_for_everyone: Some(false),
        recipients_may_delete_for_everyone: Some(true),
        ..Default::default()
    };
    configure(test, settings).await;
    assert_not_allowed(test, "alice", "sent", &[&id]).await;
    assert!(is_stored(test, &id).await);
    assert_eq!(delete(test, "alice", "sent", &[&id]).await, 1);
}

async fn one_forbidden_deletion_refuses_the_whole_call(test: &TestService) {
    recipients_may(test).await;
    let regular = send(test, "alice", &["bob"]).await;
    let system = announce(test, &["bob"]).await;
    assert_not_allowed(test, "bob", "inbox", &[&system]).await;
    assert_not_allowed(test, "bob", "inbox", &[&regular, &system]).await;
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
    assert_eq!(recall(test, "bob", "inbox", &[&regular]).await.actual, 1);
}

async fn the_named_box_decides_between_sender_and_recipient(test: &TestService) {
    let id = send(test, "alice", &["alice", "bob"]).await;
    assert_not_allowed(test, "alice", "inbox", &[&id]).await;
    assert_eq!(recall(test, "bob", "sent", &[&id]).await.actual, 0);
    recipients_may(test).await;
    assert_eq!(delete(test, "bob", "inbox", &[&id]).await, 1);
    assert_eq!(recall(test, "bob", "inbox", &[&id]).await.actual, 0);
    assert_eq!(recall(test, "mallory", "inbox", &[&id]).await.actual, 0);
    assert!(is_stored(test, &id).await);
}

async fn one_to_five_hundred_ids_can_be_deleted(test: &TestService) {
    let mut bob = test.user("bob");
    for (count, fits) in [(0, false), (1, true), (500, true), (501, false)] {
        for scope in [OwnCopy, Everyone] {
            let request = deletion("inbox", &vec![UNKNOWN; count], scope);
            let answer = bob.delete_messages(request).await;
            assert_eq!(answer.is_ok(), fits, "{count} ids");
        }
    }
}

async fn a_scope_that_is_not_known_deletes_nothing(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let request = DeleteMessagesRequest {
        scope: 99,
        ..deletion("inbox", &[&id], OwnCopy)
    };
    let found = fields(test.user("bob").delete_messages(request)).await;
    assert_eq!(found, ["scope"]);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = DeleteMessagesRequest {
        scope: -1,
        request_id: "é".to_owned(),
        ..deletion("drafts", &[""; 0], OwnCopy)
    };
    let found = fields(test.user("bob").delete_messages(request)).await;
    assert_eq!(found, ["msgbox", "message_ids", "scope", "request_id"]);
}

on_each_database![
    a_deletion_of_the_own_copy_leaves_all_other_copies,
    the_default_scope_is_the_own_copy,
    a_sender_deletes_for_everyone,
    a_sender_stays_the_sender_without_the_own_copy,
    a_recipient_deletes_for_everyone_only_where_the_policy_allows_it,
    the_policy_can_forbid_a_sender_to_delete_for_everyone,
    one_forbidden_deletion_refuses_the_whole_call,
    the_named_box_decides_between_sender_and_recipient,
    one_to_five_hundred_ids_can_be_deleted,
    a_scope_that_is_not_known_deletes_nothing,
    all_violations_are_reported_at_once,
];
