use proto::v1;
use support::drift;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, mark, ok, send};

fn shown(name: &str, total: u32, unread: u32) -> v1::Msgbox {
    v1::Msgbox {
        name: name.to_owned(),
        total,
        unread,
    }
}

async fn boxes(test: &TestService, who: &str) -> Vec<v1::Msgbox> {
    let request = v1::GetMessageBoxesRequest {};
    ok(test.user(who).get_message_boxes(request)).await.boxes
}

async fn the_boxes_are_always_inbox_and_then_sent(test: &TestService) {
    let empty = [shown("inbox", 0, 0), shown("sent", 0, 0)];
    assert_eq!(boxes(test, "never-seen").await, empty);
}

async fn the_boxes_have_their_counts(test: &TestService) {
    let first = send(test, "alice", &["bob"]).await;
    announce(test, &["bob"]).await;
    send(test, "bob", &["alice", "carol"]).await;
    mark(test, &[first], false).await;
    let counted = [shown("inbox", 2, 1), shown("sent", 1, 0)];
    assert_eq!(boxes(test, "bob").await, counted);
}

async fn the_first_call_of_a_profile_creates_its_mailbox(test: &TestService) {
    assert_eq!(drift::recount(&*test.store.store).await.mailboxes, 0);
    boxes(test, "dora").await;
    boxes(test, "dora").await;
    assert_eq!(drift::recount(&*test.store.store).await.mailboxes, 1);
}

on_each_database![
    the_boxes_are_always_inbox_and_then_sent,
    the_boxes_have_their_counts,
    the_first_call_of_a_profile_creates_its_mailbox,
];
