use proto::sys::v1::DeleteMessagesRequest;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    UNKNOWN, announce, counts, delete, fields, is_stored, ok, send, strings,
};

fn deleting(ids: &[impl AsRef<str>]) -> DeleteMessagesRequest {
    DeleteMessagesRequest {
        message_ids: strings(ids),
        ..Default::default()
    }
}

async fn a_deletion_removes_every_entry_and_ignores_unknown_ids(test: &TestService) {
    let [regular, system, kept] = [
        send(test, "alice", &["bob"]).await,
        announce(test, &["bob", "carol"]).await,
        send(test, "alice", &["bob"]).await,
    ];
    let asked = [&regular, UNKNOWN, &system, "no-uuid", &regular];
    let mut app = test.sys();
    let deleted = ok(app.delete_messages(deleting(&asked))).await;
    assert_eq!((deleted.requested, deleted.actual), (4, 2));
    assert_eq!(counts(test, "alice").await, (0, 0, 1));
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "carol").await, (0, 0, 0));
    assert!(is_stored(test, &kept).await && !is_stored(test, &system).await);
    let again = ok(app.delete_messages(deleting(&asked))).await;
    assert_eq!((again.requested, again.actual), (4, 0));
}

async fn a_message_that_no_box_holds_is_removed_too(test: &TestService) {
    let id = announce(test, &["bob"]).await;
    delete(test, "bob", "inbox", &[&id]).await;
    assert_eq!(
        ok(test.sys().delete_messages(deleting(&[&id])))
            .await
            .actual,
        1
    );
    assert!(!is_stored(test, &id).await);
}

async fn one_to_five_hundred_ids_can_be_deleted(test: &TestService) {
    let mut app = test.sys();
    for (count, fits) in [(0, false), (1, true), (500, true), (501, false)] {
        let answer = app.delete_messages(deleting(&vec![UNKNOWN; count])).await;
        assert_eq!(answer.is_ok(), fits, "{count} ids");
    }
    let request = DeleteMessagesRequest {
        request_id: "a b".to_owned(),
        ..Default::default()
    };
    let found = fields(app.delete_messages(request)).await;
    assert_eq!(found, ["message_ids", "request_id"]);
}

on_each_database![
    a_deletion_removes_every_entry_and_ignores_unknown_ids,
    a_message_that_no_box_holds_is_removed_too,
    one_to_five_hundred_ids_can_be_deleted,
];
