use proto::sys::v1::GetMessageCountsForOwnerRequest;
use proto::v1::{GetMessageCountsRequest, Msgbox};
use support::drift;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{fields, mark, ok, send, send_many};

fn of(owner: &str) -> GetMessageCountsForOwnerRequest {
    GetMessageCountsForOwnerRequest {
        owner_profile_id: owner.to_owned(),
    }
}

fn boxes(total: u32, unread: u32, sent: u32) -> [Msgbox; 2] {
    [("inbox", total, unread), ("sent", sent, 0)].map(|(name, total, unread)| Msgbox {
        name: name.to_owned(),
        total,
        unread,
    })
}

async fn the_app_and_the_user_have_the_same_counts(test: &TestService) {
    let sent = send_many(test, 3).await;
    send(test, "bob", &["bob"]).await;
    mark(test, &sent[..2], false).await;
    let mut app = test.sys();
    let counted = ok(app.get_message_counts_for_owner(of("bob"))).await;
    assert_eq!(counted.boxes, boxes(4, 2, 1));
    let own = ok(test
        .user("bob")
        .get_message_counts(GetMessageCountsRequest {}))
    .await;
    assert_eq!((own.boxes, own.cursor), (counted.boxes, counted.cursor));
}

async fn a_read_by_the_app_creates_no_mailbox(test: &TestService) {
    let counted = ok(test.sys().get_message_counts_for_owner(of("never-seen"))).await;
    assert_eq!(counted.boxes, boxes(0, 0, 0));
    assert_eq!(drift::recount(&*test.store.store).await.mailboxes, 0);
}

async fn an_owner_is_a_profile_id(test: &TestService) {
    for no_id in ["", "a\nb", &"x".repeat(257)] {
        let found = fields(test.sys().get_message_counts_for_owner(of(no_id))).await;
        assert_eq!(found, ["owner_profile_id"]);
    }
}

on_each_database![
    the_app_and_the_user_have_the_same_counts,
    a_read_by_the_app_creates_no_mailbox,
    an_owner_is_a_profile_id,
];
