//! Page contexts: bound to their caller and method, and protected against changes.

use proto::sys::v1 as sys;
use proto::v1;
use support::issuer::ALL_SCOPES;
use support::on_each_database;
use support::service::TestService;

use super::{PageReader, PagedMethod, rows};
use crate::api::builders::{reason, reason_of, send_many};

const INVALID: &str = "PAGE_CONTEXT_INVALID";

async fn a_context_of_another_method_is_invalid(test: &TestService) {
    send_many(test, 3).await;
    let mut reader = PageReader::of(test);
    for of in PagedMethod::ALL {
        let context = reader.page(of, rows(2)).await.context;
        for listing in PagedMethod::ALL {
            let turned = reader.try_turn(listing, &context, 1).await;
            let told = turned.map_err(|status| reason_of(&status)).err();
            let expected = (listing != of).then(|| INVALID.to_owned());
            assert_eq!(told, expected, "{of:?} for {listing:?}");
        }
    }
}

async fn an_altered_context_is_invalid(test: &TestService) {
    send_many(test, 3).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let context = reader.page(listing, rows(2)).await.context;
        let mut altered = vec![
            String::new(),
            "x".to_owned(),
            "é".to_owned(),
            "\0".to_owned(),
        ];
        altered.push(format!("{context}A"));
        altered.push(context[1..].to_owned());
        altered.push(context[..context.len() - 1].to_owned());
        for index in (0..context.len()).step_by(5) {
            let mut one = context.clone().into_bytes();
            one[index] = if one[index] == b'A' { b'B' } else { b'A' };
            altered.push(String::from_utf8(one).expect("ASCII"));
        }
        for context in altered {
            let refused = reader.try_turn(listing, &context, 1).await;
            let status = refused.expect_err("a refusal");
            assert_eq!(reason_of(&status), INVALID, "{context}");
        }
    }
}

async fn a_context_of_another_caller_is_invalid(test: &TestService) {
    send_many(test, 3).await;
    let mut reader = PageReader::of(test);
    let [own, of_owner, repository] = [
        reader.page(PagedMethod::Own, rows(2)).await.context,
        reader.page(PagedMethod::OfOwner, rows(2)).await.context,
        reader.page(PagedMethod::Repository, rows(2)).await.context,
    ];
    for mut other in [test.user("alice"), test.user_of("other", "bob")] {
        let request = v1::GetMessagesPageOffsetRequest {
            context: own.clone(),
            page_offset: 1,
        };
        let reason = reason(other.get_messages_page_offset(request)).await;
        assert_eq!(reason, INVALID);
    }
    let mut elsewhere = test.sys_of("other", ALL_SCOPES);
    for (mut app, owner) in [(test.sys(), "alice"), (elsewhere.clone(), "bob")] {
        let request = sys::GetMessagesForOwnerPageOffsetRequest {
            owner_profile_id: owner.to_owned(),
            context: of_owner.clone(),
            page_offset: 1,
        };
        let reason = reason(app.get_messages_for_owner_page_offset(request)).await;
        assert_eq!(reason, INVALID, "{owner}");
    }
    let request = sys::GetMessagesPageOffsetRequest {
        context: repository,
        page_offset: 1,
    };
    let reason = reason(elsewhere.get_messages_page_offset(request)).await;
    assert_eq!(reason, INVALID);
}

async fn a_context_is_good_on_another_replica(test: &TestService) {
    let sent = send_many(test, 3).await;
    let mut reader = PageReader::of(test);
    let (store, listeners) = test.replica().await;
    let token =
        support::issuer::TestIssuer::shared().user(support::issuer::APP, "bob", test.now_s());
    let mut there = PageReader {
        bob: listeners.user(&token),
        app: test.sys(),
    };
    let first = reader.page(PagedMethod::Own, rows(2)).await;
    let second = there.turn(PagedMethod::Own, &first, 1).await;
    assert_eq!(second.ids, sent[..1]);
    store.close().await;
}

on_each_database![
    a_context_of_another_method_is_invalid,
    an_altered_context_is_invalid,
    a_context_of_another_caller_is_invalid,
    a_context_is_good_on_another_replica,
];
