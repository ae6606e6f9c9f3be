use proto::sys::v1::{ExportProfileRequest, ExportProfileResponse, RevokeTokensRequest};
use proto::v1::DeleteScope;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{deletion, ok, reason_of, refused, send};

fn request(profile_id: &str, page_token: &str) -> ExportProfileRequest {
    ExportProfileRequest {
        profile_id: profile_id.to_owned(),
        page_token: page_token.to_owned(),
    }
}

/// All pages of an export, and their number.
async fn export(test: &TestService, profile_id: &str) -> (ExportProfileResponse, usize) {
    let (mut all, mut pages) = (ExportProfileResponse::default(), 0);
    loop {
        let page = request(profile_id, &all.next_page_token);
        let page = ok(test.sys().export_profile(page)).await;
        pages += 1;
        all.profile = all.profile.or(page.profile);
        all.blocked_profile_ids.extend(page.blocked_profile_ids);
        all.entries.extend(page.entries);
        all.sent_messages.extend(page.sent_messages);
        all.received_messages.extend(page.received_messages);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() {
            return (all, pages);
        }
    }
}

fn ids(messages: &[proto::v1::Message]) -> Vec<String> {
    messages.iter().map(|it| it.message_id.clone()).collect()
}

async fn an_export_has_all_that_is_kept_about_a_user(test: &TestService) {
    let first = send(test, "alice", &["bob"]).await;
    let second = send(test, "alice", &["bob", "cid"]).await;
    let third = send(test, "bob", &["alice", "cid"]).await;
    send(test, "bob", &["cid"]).await;
    let deleted = deletion("sent", std::slice::from_ref(&second), DeleteScope::OwnCopy);
    ok(test.user("alice").delete_messages(deleted)).await;
    let block = proto::v1::BlockProfileRequest {
        profile_id: "eve".to_owned(),
        ..Default::default()
    };
    ok(test.user("alice").block_profile(block)).await;
    ok(test.sys().revoke_tokens(RevokeTokensRequest {
        profile_id: "alice".to_owned(),
        ..Default::default()
    }))
    .await;

    let (all, _) = export(test, "alice").await;
    let profile = all.profile.expect("facts");
    let totals: Vec<_> = profile.boxes.iter().map(|it| it.total).collect();
    assert_eq!((&*profile.profile_id, totals), ("alice", vec![1, 1]));
    assert!(profile.tokens_revoked_before.is_some());
    assert_eq!(profile.erasure_request_time, None);
    assert_eq!(all.blocked_profile_ids, ["eve"]);
    let entries = all.entries.iter().map(|entry| {
        let message = entry.message.as_ref().expect("a message");
        (entry.msgbox.clone(), message.message_id.clone())
    });
    let expected = [("sent", &first), ("inbox", &third)];
    let expected = expected.map(|(msgbox, id)| (msgbox.to_owned(), id.clone()));
    assert_eq!(entries.collect::<Vec<_>>(), expected);
    assert_eq!(ids(&all.sent_messages), [first, second]);
    assert!(all.sent_messages.iter().all(|it| it.content.is_some()));
    assert_eq!(ids(&all.received_messages), [third]);
    assert!(all.received_messages.iter().all(|it| it.content.is_none()));
    let (nobody, _) = export(test, "nobody").await;
    assert_eq!((nobody.entries.len(), nobody.sent_messages.len()), (0, 0));
}

async fn an_export_of_many_messages_has_pages(test: &TestService) {
    for _ in 0..210 {
        send(test, "alice", &["bob"]).await;
    }
    let (all, pages) = export(test, "alice").await;
    assert_eq!((all.entries.len(), all.sent_messages.len()), (210, 210));
    assert_eq!(pages, 7);
}

async fn a_page_token_is_of_one_user_and_app(test: &TestService) {
    let first = ok(test.sys().export_profile(request("alice", ""))).await;
    let token = first.next_page_token;
    ok(test.sys().export_profile(request("alice", &token))).await;
    let mut other = test.sys_of("other", "sys.read");
    for refusal in [
        refused(test.sys().export_profile(request("bob", &token))).await,
        refused(other.export_profile(request("alice", &token))).await,
        refused(test.sys().export_profile(request("alice", "x"))).await,
    ] {
        assert_eq!(reason_of(&refusal), "PAGE_CONTEXT_INVALID");
    }
    let status = refused(test.sys().export_profile(request("", ""))).await;
    assert_eq!(reason_of(&status), "INVALID_REQUEST");
}

on_each_database![
    an_export_has_all_that_is_kept_about_a_user,
    an_export_of_many_messages_has_pages,
    a_page_token_is_of_one_user_and_app,
];
