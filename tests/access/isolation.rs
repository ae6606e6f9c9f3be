//! Isolation of users and apps: foreign messages and contexts are answered like unknown ones.

use prost::Message as _;
use proto::sys::v1 as sys;
use proto::v1;
use support::issuer::{ALL_SCOPES, APP};
use support::on_each_database;
use support::service::{InProcessUser, TestService};
use tonic::{Code, Status};

const OTHER_APP: &str = "other";
/// An id of no message.
const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn json(text: &str) -> v1::Content {
    let body = v1::content::Body::Json(prost_types::Value::from(text).encode_to_vec().into());
    v1::Content { body: Some(body) }
}

/// Sends a message from Alice to Bob and returns its id.
async fn send(test: &TestService) -> String {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "between us".to_owned(),
        ..Default::default()
    };
    let sent = test.user("alice").send_message_simple(request).await;
    sent.expect("a message").into_inner().message_id
}

async fn get(
    mut user: InProcessUser,
    id: &str,
    msgbox: &str,
) -> Result<v1::GetMessagesResponse, Status> {
    let request = v1::GetMessagesRequest {
        msgbox: msgbox.to_owned(),
        message_ids: vec![id.to_owned()],
        ..Default::default()
    };
    user.get_messages(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn edit(mut user: InProcessUser, id: &str) -> Status {
    let request = v1::EditMessageRequest {
        message_id: id.to_owned(),
        content: Some(json("changed")),
        ..Default::default()
    };
    user.edit_message(request).await.expect_err("a refusal")
}

/// All that a user can try on a message: none of it finds one, or changes anything.
async fn assert_unreachable(user: InProcessUser, id: &str) {
    for msgbox in ["inbox", "sent"] {
        let refused = get(user.clone(), id, msgbox).await.expect_err("a refusal");
        assert_same_as_unknown(
            &refused,
            &get(user.clone(), UNKNOWN, msgbox).await.expect_err("none"),
        );
        let mark = v1::MarkMessagesReadRequest {
            msgbox: msgbox.to_owned(),
            message_ids: vec![id.to_owned()],
            ..Default::default()
        };
        let marked = user
            .clone()
            .mark_messages_read(mark)
            .await
            .expect("an answer");
        assert_eq!(marked.into_inner().actual, 0);
        for scope in [v1::DeleteScope::OwnCopy, v1::DeleteScope::Everyone] {
            let delete = v1::DeleteMessagesRequest {
                msgbox: msgbox.to_owned(),
                message_ids: vec![id.to_owned()],
                scope: scope.into(),
                ..Default::default()
            };
            let deleted = user
                .clone()
                .delete_messages(delete)
                .await
                .expect("an answer");
            assert_eq!(deleted.into_inner().actual, 0, "{scope:?} in {msgbox}");
        }
    }
    assert_same_as_unknown(&edit(user.clone(), id).await, &edit(user, UNKNOWN).await);
}

fn assert_same_as_unknown(refused: &Status, unknown: &Status) {
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(
        (refused.code(), refused.message(), refused.details()),
        (unknown.code(), unknown.message(), unknown.details())
    );
}

async fn assert_untouched(test: &TestService, id: &str) {
    let found = get(test.user("bob"), id, "inbox")
        .await
        .expect("Bob's message");
    let entry = &found.items[0];
    let message = entry.message.as_ref().expect("its message");
    assert_eq!((entry.read, entry.version, message.version), (false, 1, 1));
    get(test.user("alice"), id, "sent")
        .await
        .expect("Alice's copy");
}

async fn a_message_is_hidden_from_strangers_and_unchanged_by_them(test: &TestService) {
    let id = send(test).await;
    assert_unreachable(test.user("mallory"), &id).await;
    assert_untouched(test, &id).await;
}

async fn users_of_the_same_name_in_another_app_are_strangers(test: &TestService) {
    let id = send(test).await;
    for profile in ["alice", "bob"] {
        assert_unreachable(test.user_of(OTHER_APP, profile), &id).await;
    }
    assert_untouched(test, &id).await;
}

async fn a_message_is_hidden_from_another_app_and_unchanged_by_it(test: &TestService) {
    let id = send(test).await;
    let mut other = test.sys_of(OTHER_APP, ALL_SCOPES);
    let message_ids = vec![id.clone()];

    let asked = sys::GetMessagesRequest {
        message_ids: message_ids.clone(),
        ..Default::default()
    };
    let refused = other.get_messages(asked).await.expect_err("a refusal");
    assert_eq!(refused.code(), Code::NotFound);
    let update = sys::UpdateMessageRequest {
        message_id: id.clone(),
        content: Some(json("changed")),
        ..Default::default()
    };
    assert_eq!(
        other
            .update_message(update)
            .await
            .expect_err("a refusal")
            .code(),
        Code::NotFound
    );
    let delete = sys::DeleteMessageRequest {
        message_id: id.clone(),
        ..Default::default()
    };
    assert_eq!(
        other
            .delete_message(delete)
            .await
            .expect_err("a refusal")
            .code(),
        Code::NotFound
    );
    let delete = sys::DeleteMessagesRequest {
        message_ids,
        ..Default::default()
    };
    assert_eq!(
        other
            .delete_messages(delete)
            .await
            .expect("an answer")
            .into_inner()
            .actual,
        0
    );

    let page = other
        .get_messages_page(sys::GetMessagesPageRequest::default())
        .await;
    assert!(
        page.expect("a page")
            .into_inner()
            .results
            .expect("results")
            .items
            .is_empty()
    );
    let owner = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        ..Default::default()
    };
    let page = other
        .get_messages_for_owner_page(owner)
        .await
        .expect("a page");
    assert!(page.into_inner().results.expect("results").items.is_empty());
    assert_untouched(test, &id).await;
}

async fn a_page_context_opens_no_other_mailbox(test: &TestService) {
    send(test).await;
    let page = test
        .user("bob")
        .get_messages_page(v1::GetMessagesPageRequest::default())
        .await;
    let context = page.expect("a page").into_inner().context;
    for user in [test.user("mallory"), test.user_of(OTHER_APP, "bob")] {
        let request = v1::GetMessagesPageOffsetRequest {
            context: context.clone(),
            page_offset: 0,
        };
        let refused = user
            .clone()
            .get_messages_page_offset(request)
            .await
            .expect_err("a refusal");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let own = v1::GetMessagesPageOffsetRequest {
        context,
        page_offset: 0,
    };
    let page = test
        .user_of(APP, "bob")
        .get_messages_page_offset(own)
        .await
        .expect("a page");
    assert_eq!(page.into_inner().results.expect("results").items.len(), 1);
}

on_each_database![
    a_message_is_hidden_from_strangers_and_unchanged_by_them,
    users_of_the_same_name_in_another_app_are_strangers,
    a_message_is_hidden_from_another_app_and_unchanged_by_it,
    a_page_context_opens_no_other_mailbox,
];
