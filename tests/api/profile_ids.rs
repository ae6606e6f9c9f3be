//! Profile ids as identity providers issue them, in every place that has one.

use futures::stream;
use proto::sys::v1 as sys;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::v1;
use support::boxes;
use support::on_each_database;
use support::service::TestService;

use super::builders::{counts, news, ok, send, stored, strings, text};

/// Ids in bytewise order. Some are beginnings, other cases or other normalization forms of others.
const IDS: [&str; 10] = [
    " '; DROP TABLE mailbox; --",
    "3q2+/w==",
    "EXAMPLE\\anna",
    "e\u{301}",
    "f:0c1e:anna",
    "f:0c1e:anna maria",
    "samlp|corp|o'neil@example.com",
    "spiffe://example.org/ns/prod?a=%20_",
    "é",
    "อานนท์",
];

/// Number of entries of an owner that match criteria.
async fn found_by(test: &TestService, owner: &str, criteria: v1::SearchCriteria) -> usize {
    let request = v1::GetMessagesPageRequest {
        context: Some(v1::PageContext {
            search_criteria: Some(criteria),
            ..Default::default()
        }),
    };
    let page = ok(test.user(owner).get_messages_page(request)).await;
    page.results.expect("a page").items.len()
}

async fn ids_of_identity_providers_send_and_receive(test: &TestService) {
    let id = send(test, IDS[0], &IDS).await;
    let message = stored(test, &id).await;
    assert_eq!(message.to, IDS);
    assert_eq!(message.sender.expect("a sender").profile_id, IDS[0]);
    for owner in IDS {
        send(test, owner, &["bob"]).await;
        let sent = if owner == IDS[0] { 2 } else { 1 };
        assert_eq!(counts(test, owner).await, (1, 1, sent), "{owner}");
        let request = sys::GetMessageCountsForOwnerRequest {
            owner_profile_id: owner.to_owned(),
        };
        let found = ok(test.sys().get_message_counts_for_owner(request)).await;
        assert_eq!(boxes::named(&found.boxes, "inbox").total, 1, "{owner}");
    }
}

async fn searches_find_whole_ids_only(test: &TestService) {
    for id in IDS {
        send(test, "bob", &[id]).await;
        send(test, id, &["bob"]).await;
    }
    for id in IDS {
        let to = v1::SearchCriteria {
            to_profile_id: id.to_owned(),
            ..Default::default()
        };
        let from = v1::SearchCriteria {
            sender_profile_id: id.to_owned(),
            ..Default::default()
        };
        let party = v1::SearchCriteria {
            party_profile_id: id.to_owned(),
            ..Default::default()
        };
        for (criteria, found) in [(to, 1), (from, 1), (party, 2)] {
            assert_eq!(found_by(test, "bob", criteria).await, found, "{id}");
        }
    }
}

async fn a_segment_reaches_ids_of_identity_providers(test: &TestService) {
    let message = sys::SegmentMessage {
        content: Some(text("hi")),
        sender: Some(news()),
        ..Default::default()
    };
    let recipients = sys::SegmentRecipients {
        profile_ids: strings(&[IDS, IDS].concat()),
    };
    let pieces = [Piece::Message(message), Piece::Recipients(recipients)];
    let pieces = pieces.map(|piece| sys::SendToProfilesRequest { piece: Some(piece) });
    let sent = ok(test.sys().send_to_profiles(stream::iter(pieces))).await;
    let accepted = sent.counts.map(|counts| counts.accepted);
    assert_eq!(accepted, Some(10));
    while test.store.store.run_jobs().await.expect("a step") {}
    for owner in IDS {
        assert_eq!(counts(test, owner).await, (1, 1, 0), "{owner}");
    }
}

on_each_database![
    ids_of_identity_providers_send_and_receive,
    searches_find_whole_ids_only,
    a_segment_reaches_ids_of_identity_providers,
];
