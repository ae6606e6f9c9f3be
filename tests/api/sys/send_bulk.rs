use prost_types::Duration;
use proto::sys::v1::{BulkAudience, SendBulkRequest, SendBulkResponse};
use proto::sys::v1::{DeleteMessageRequest, GetMessagesRequest, UpdateMessageRequest};
use proto::v1;
use support::boxes;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    SmallBoxes, content, counts, delete, deletion, entry, fields, json, mark, news, ok, reason,
    sealed, send, strings, text,
};

pub fn to(audience: BulkAudience) -> SendBulkRequest {
    SendBulkRequest {
        content: Some(text("to all")),
        sender: Some(news()),
        audience: audience.into(),
        ..Default::default()
    }
}

/// Sends a bulk message to existing mailboxes.
pub async fn to_all(test: &TestService) -> String {
    let request = to(BulkAudience::Existing);
    ok(test.sys().send_bulk(request)).await.message_id
}

async fn a_bulk_message_reaches_all_existing_mailboxes(test: &TestService) {
    send(test, "alice", &["bob"]).await;
    let sent: SendBulkResponse = ok(test.sys().send_bulk(to(BulkAudience::Unspecified))).await;
    assert_eq!(counts(test, "alice").await, (1, 1, 1));
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
    let id = &sent.message_id;
    let held = entry(test, "bob", "inbox", id).await;
    assert_eq!((held.version, held.read), (1, false));
    assert_eq!(held.create_time, sent.send_time);
    let message = held.message.expect("a message");
    assert_eq!(message.kind(), v1::MessageKind::Bulk);
    assert_eq!((message.to.len(), message.recipient_count), (0, 0));
    assert_eq!(message.sender, Some(news()));
    assert_eq!(message.expire_time, sent.expire_time);
    assert_eq!(mark(test, &[id], false).await, 1);
    assert_eq!(counts(test, "bob").await, (2, 1, 0));
    assert_eq!(delete(test, "bob", "inbox", &[id]).await, 1);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "alice").await, (1, 1, 1));
}

async fn the_audience_decides_about_new_mailboxes(test: &TestService) {
    counts(test, "bob").await;
    let first = to_all(test).await;
    let second = ok(test.sys().send_bulk(to(BulkAudience::Everyone))).await;
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
    entry(test, "carol", "inbox", &second.message_id).await;
    let named = v1::GetMessagesRequest {
        msgbox: "inbox".to_owned(),
        message_ids: vec![first],
        ..Default::default()
    };
    let mut carol = test.user("carol");
    assert_eq!(reason(carol.get_messages(named)).await, "MESSAGE_NOT_FOUND");
    send(test, "bob", &["dave"]).await;
    assert_eq!(counts(test, "dave").await, (2, 2, 0), "a letter begins it");
}

async fn a_bulk_message_stays_in_its_app(test: &TestService) {
    let mut elsewhere = test.user_of("other", "bob");
    ok(elsewhere.get_message_counts(v1::GetMessageCountsRequest {})).await;
    ok(test.sys().send_bulk(to(BulkAudience::Everyone))).await;
    let counted = ok(elsewhere.get_message_counts(v1::GetMessageCountsRequest {})).await;
    assert_eq!(boxes::named(&counted.boxes, "inbox").total, 0);
}

async fn an_update_of_a_bulk_message_reaches_settled_and_unsettled_mailboxes(test: &TestService) {
    for owner in ["alice", "bob"] {
        counts(test, owner).await;
    }
    let id = to_all(test).await;
    entry(test, "bob", "inbox", &id).await;
    assert_eq!(mark(test, &[&id], false).await, 1);
    let update = |words, expected_version| UpdateMessageRequest {
        message_id: id.clone(),
        content: Some(text(words)),
        expected_version: Some(expected_version),
        ..Default::default()
    };
    let updated = ok(test.sys().update_message(update("better", 1))).await;
    assert_eq!(updated.version, 2);
    let mut app = test.sys();
    let stale = app.update_message(update("worse", 1));
    assert_eq!(reason(stale).await, "MESSAGE_VERSION_MISMATCH");
    let [seen, unseen] = [
        entry(test, "bob", "inbox", &id).await,
        entry(test, "alice", "inbox", &id).await,
    ];
    assert_eq!((seen.version, seen.read), (3, true), "read stays read");
    assert_eq!((unseen.version, unseen.read), (1, false));
    for entry in [seen, unseen] {
        let message = entry.message.expect("a message");
        assert_eq!(message.content, Some(text("better")));
        assert_eq!((message.version, message.modified), (2, true));
    }
}

async fn a_deletion_of_a_bulk_message_reaches_all_mailboxes(test: &TestService) {
    for owner in ["alice", "bob"] {
        counts(test, owner).await;
    }
    let id = to_all(test).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    let delete = DeleteMessageRequest {
        message_id: id.clone(),
        expected_version: Some(1),
        ..Default::default()
    };
    ok(test.sys().delete_message(delete.clone())).await;
    for owner in ["alice", "bob"] {
        assert_eq!(counts(test, owner).await, (0, 0, 0));
    }
    let asked = GetMessagesRequest {
        message_ids: strings(&[&id]),
        ..Default::default()
    };
    let mut app = test.sys();
    assert_eq!(reason(app.get_messages(asked)).await, "MESSAGE_NOT_FOUND");
    assert_eq!(
        reason(app.delete_message(delete)).await,
        "MESSAGE_NOT_FOUND"
    );
}

async fn users_can_neither_edit_nor_recall_an_app_message(test: &TestService) {
    counts(test, "bob").await;
    let id = to_all(test).await;
    let mut bob = test.user("bob");
    let edit = v1::EditMessageRequest {
        message_id: id.clone(),
        content: Some(text("mine")),
        ..Default::default()
    };
    assert_eq!(
        reason(bob.edit_message(edit)).await,
        "NOT_ALLOWED_BY_POLICY"
    );
    let recall = deletion("inbox", &[&id], v1::DeleteScope::Everyone);
    assert_eq!(
        reason(bob.delete_messages(recall)).await,
        "NOT_ALLOWED_BY_POLICY"
    );
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn a_repeated_bulk_request_sends_once(test: &TestService) {
    counts(test, "bob").await;
    let request = SendBulkRequest {
        request_id: "once".to_owned(),
        ..to(BulkAudience::Existing)
    };
    let first = ok(test.sys().send_bulk(request.clone())).await;
    test.store.clock.advance(5_000);
    let second = ok(test.sys().send_bulk(request.clone())).await;
    assert_eq!(first, second);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    let other = SendBulkRequest {
        audience: BulkAudience::Everyone.into(),
        ..request
    };
    let mut app = test.sys();
    assert_eq!(reason(app.send_bulk(other)).await, "REQUEST_ID_REUSED");
}

async fn an_expired_bulk_message_is_gone_from_all_mailboxes(test: &TestService) {
    for owner in ["alice", "bob"] {
        counts(test, owner).await;
    }
    let request = SendBulkRequest {
        expire_after: Some(Duration {
            seconds: 60,
            nanos: 0,
        }),
        ..to(BulkAudience::Everyone)
    };
    ok(test.sys().send_bulk(request)).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    test.store.clock.advance(60_000);
    for owner in ["alice", "bob", "carol"] {
        assert_eq!(counts(test, owner).await, (0, 0, 0));
    }
}

async fn a_full_inbox_takes_no_bulk_message(test: &SmallBoxes) {
    for _ in 0..2 {
        send(test, "alice", &["bob"]).await;
    }
    to_all(test).await;
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
    assert_eq!(counts(test, "alice").await, (1, 1, 2));
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let wrong = SendBulkRequest {
        sender: Some(v1::Sender {
            profile_id: "alice".to_owned(),
            ..Default::default()
        }),
        audience: 3,
        request_id: "a b".to_owned(),
        expire_after: Some(Duration::default()),
        ..Default::default()
    };
    let mut app = test.sys();
    assert_eq!(
        fields(app.send_bulk(wrong)).await,
        [
            "content",
            "expire_after",
            "sender.profile_id",
            "sender.name",
            "audience",
            "request_id"
        ]
    );
    let large = SendBulkRequest {
        content: Some(json(serde_json::json!("x".repeat(40_000)))),
        ..to(BulkAudience::Existing)
    };
    assert_eq!(reason(app.send_bulk(large)).await, "MESSAGE_TOO_LARGE");
    let for_bob = SendBulkRequest {
        content: Some(content(v1::content::Body::Sealed(sealed()))),
        ..to(BulkAudience::Existing)
    };
    assert_eq!(reason(app.send_bulk(for_bob)).await, "CONTENT_INVALID");
}

on_each_database![
    a_bulk_message_reaches_all_existing_mailboxes,
    the_audience_decides_about_new_mailboxes,
    a_bulk_message_stays_in_its_app,
    an_update_of_a_bulk_message_reaches_settled_and_unsettled_mailboxes,
    a_deletion_of_a_bulk_message_reaches_all_mailboxes,
    users_can_neither_edit_nor_recall_an_app_message,
    a_repeated_bulk_request_sends_once,
    an_expired_bulk_message_is_gone_from_all_mailboxes,
    a_full_inbox_takes_no_bulk_message,
    all_violations_are_reported_at_once,
];
