use proto::sys::v1::{DeleteMessagesRequest, GetBulkRequest, GetBulkResponse};
use support::on_each_database;
use support::service::TestService;

use super::send_bulk::to_all;
use crate::api::builders::{UNKNOWN, announce, counts, delete, fields, mark, ok, reason, text};

fn of(id: &str) -> GetBulkRequest {
    GetBulkRequest {
        message_id: id.to_owned(),
    }
}

async fn figures(test: &TestService, id: &str) -> (i64, i64, i64, bool) {
    let GetBulkResponse {
        settled,
        read,
        deleted,
        recalled,
        ..
    } = ok(test.sys().get_bulk(of(id))).await;
    (settled, read, deleted, recalled)
}

async fn a_report_counts_the_settled_mailboxes(test: &TestService) {
    for owner in ["alice", "bob", "carol"] {
        counts(test, owner).await;
    }
    let id = to_all(test).await;
    assert_eq!(figures(test, &id).await, (0, 0, 0, false));
    for owner in ["alice", "bob", "bob"] {
        counts(test, owner).await;
    }
    assert_eq!(figures(test, &id).await, (2, 0, 0, false));
    mark(test, &[&id], false).await;
    mark(test, &[&id], false).await;
    assert_eq!(figures(test, &id).await, (2, 1, 0, false));
    mark(test, &[&id], true).await;
    assert_eq!(figures(test, &id).await, (2, 0, 0, false));
    delete(test, "carol", "inbox", &[&id]).await;
    assert_eq!(figures(test, &id).await, (3, 0, 1, false));
    let message = ok(test.sys().get_bulk(of(&id))).await.message;
    assert_eq!(message.expect("a message").content, Some(text("to all")));
}

async fn a_report_outlives_the_deletion_until_the_message_expires(test: &TestService) {
    counts(test, "bob").await;
    let id = to_all(test).await;
    counts(test, "bob").await;
    let delete = DeleteMessagesRequest {
        message_ids: vec![id.clone()],
        ..Default::default()
    };
    assert_eq!(ok(test.sys().delete_messages(delete)).await.actual, 1);
    let bulk = ok(test.sys().get_bulk(of(&id))).await;
    let message = bulk.message.expect("a message");
    assert_eq!((bulk.settled, bulk.recalled), (1, true));
    assert_eq!((message.content, message.size_bytes), (None, 0));
    test.store.clock.advance(31 * 24 * 3_600_000);
    let mut app = test.sys();
    assert_eq!(reason(app.get_bulk(of(&id))).await, "MESSAGE_NOT_FOUND");
}

async fn a_message_that_is_not_bulk_is_not_found(test: &TestService) {
    let notice = announce(test, &["bob"]).await;
    let mut app = test.sys();
    for id in [&notice, UNKNOWN, "no-uuid"] {
        assert_eq!(reason(app.get_bulk(of(id))).await, "MESSAGE_NOT_FOUND");
    }
    assert_eq!(fields(app.get_bulk(of(""))).await, ["message_id"]);
    let id = to_all(test).await;
    let mut elsewhere = test.sys_of("other", "sys.read");
    assert_eq!(
        reason(elsewhere.get_bulk(of(&id))).await,
        "MESSAGE_NOT_FOUND"
    );
}

on_each_database![
    a_report_counts_the_settled_mailboxes,
    a_report_outlives_the_deletion_until_the_message_expires,
    a_message_that_is_not_bulk_is_not_found,
];
