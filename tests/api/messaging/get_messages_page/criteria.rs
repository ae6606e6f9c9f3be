use prost_types::Timestamp;
use proto::sys::v1::GetMessagesForOwnerPageRequest;
use proto::v1::{GetMessagesPageRequest, MessageKind, PageContext, Pagination, SearchCriteria};
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{announce, counts, fields, mark, send, send_many, with};
use crate::api::pages::{PageReader, PagedMethod, ascending, rows};

/// Bob's entries that match, oldest first, as he and the app see them.
async fn found(test: &TestService, change: impl FnOnce(&mut SearchCriteria)) -> Vec<String> {
    let mut reader = PageReader::of(test);
    let criteria: SearchCriteria = with(change);
    let do_count = criteria.to_profile_id.is_empty() && criteria.party_profile_id.is_empty();
    let context = ascending(PageContext {
        search_criteria: Some(criteria),
        pagination: Some(with(|it: &mut Pagination| it.do_count = do_count)),
        ..Default::default()
    });
    let own = reader.page(PagedMethod::Own, context.clone()).await;
    let of_owner = reader.page(PagedMethod::OfOwner, context).await;
    assert_eq!(own.ids, of_owner.ids);
    if do_count {
        let count = own.ids.len().try_into().expect("a count");
        assert_eq!(own.count, (count, false));
    }
    own.ids
}

/// A change of the criteria.
type CriteriaEdit = fn(&mut SearchCriteria);

async fn each_criterion_keeps_matching_rows_only(test: &TestService) {
    let from_alice = send(test, "alice", &["bob", "dora"]).await;
    let from_carol = send(test, "carol", &["bob"]).await;
    let system = announce(test, &["bob"]).await;
    let to_alice = send(test, "bob", &["alice"]).await;
    mark(test, &[&from_carol], false).await;
    let cases: [(CriteriaEdit, Vec<&String>); 11] = [
        (
            |it| it.msgbox = "inbox".into(),
            vec![&from_alice, &from_carol, &system],
        ),
        (|it| it.msgbox = "sent".into(), vec![&to_alice]),
        (|it| it.read = Some(true), vec![&from_carol]),
        (
            |it| it.read = Some(false),
            vec![&from_alice, &system, &to_alice],
        ),
        (
            |it| it.sender_profile_id = "alice".into(),
            vec![&from_alice],
        ),
        (|it| it.sender_profile_id = "bob".into(), vec![&to_alice]),
        (|it| it.to_profile_id = "alice".into(), vec![&to_alice]),
        (|it| it.to_profile_id = "dora".into(), vec![&from_alice]),
        (
            |it| it.party_profile_id = "alice".into(),
            vec![&from_alice, &to_alice],
        ),
        (|it| it.set_kind(MessageKind::System), vec![&system]),
        (|it| it.set_kind(MessageKind::Bulk), vec![]),
    ];
    for (change, expected) in cases {
        let found = found(test, change).await;
        let criteria: SearchCriteria = with(change);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{criteria:?}");
    }
}

async fn all_criteria_must_hold(test: &TestService) {
    let from_alice = send(test, "alice", &["bob", "dora"]).await;
    send(test, "carol", &["bob"]).await;
    send(test, "bob", &["alice"]).await;
    let all = |it: &mut SearchCriteria| {
        it.msgbox = "inbox".into();
        it.read = Some(false);
        it.sender_profile_id = "alice".into();
        it.to_profile_id = "bob".into();
        it.party_profile_id = "dora".into();
        it.set_kind(MessageKind::Regular);
    };
    assert_eq!(found(test, all).await, [from_alice]);
    let breaks: [CriteriaEdit; 6] = [
        |it| it.msgbox = "sent".into(),
        |it| it.read = Some(true),
        |it| it.sender_profile_id = "carol".into(),
        |it| it.to_profile_id = "alice".into(),
        |it| it.party_profile_id = "carol".into(),
        |it| it.set_kind(MessageKind::System),
    ];
    for change in breaks {
        let but_one = |it: &mut SearchCriteria| {
            all(it);
            change(it);
        };
        assert_eq!(found(test, but_one).await, [""; 0]);
    }
}

fn second(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp {
        seconds: START.0 / 1000 + seconds,
        nanos,
    }
}

async fn bounds_of_time_are_exclusive(test: &TestService) {
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(send(test, "alice", &["bob"]).await);
        test.store.clock.advance(1000);
    }
    mark(test, &sent[..1], false).await;
    let cases: [(CriteriaEdit, &[String]); 7] = [
        (|it| it.sent_after = Some(second(1, 0)), &sent[2..]),
        (
            |it| it.sent_after = Some(second(0, 999_999_999)),
            &sent[1..],
        ),
        (|it| it.sent_before = Some(second(1, 0)), &sent[..1]),
        (|it| it.sent_before = Some(second(1, 1)), &sent[..2]),
        (|it| it.updated_after = Some(second(2, 0)), &sent[..1]),
        (|it| it.updated_after = Some(second(3, 0)), &[]),
        (
            |it| (it.sent_after, it.sent_before) = (Some(second(0, 0)), Some(second(2, 0))),
            &sent[1..2],
        ),
    ];
    for (change, expected) in cases {
        let criteria: SearchCriteria = with(change);
        assert_eq!(found(test, change).await, expected, "{criteria:?}");
    }
}

async fn the_count_of_a_box_is_free(test: &TestService) {
    send_many(test, 3).await;
    send(test, "bob", &["alice"]).await;
    assert_eq!(counts(test, "bob").await, (3, 3, 1));
    let mut reader = PageReader::of(test);
    let cases: [(CriteriaEdit, i64); 6] = [
        (|_| (), 4),
        (|it| it.msgbox = "inbox".into(), 3),
        (|it| it.msgbox = "sent".into(), 1),
        (|it| it.read = Some(false), -1),
        (|it| it.sender_profile_id = "alice".into(), -1),
        (
            |it| (it.msgbox, it.read) = ("inbox".into(), Some(false)),
            -1,
        ),
    ];
    for (change, count) in cases {
        let context = PageContext {
            search_criteria: Some(with(change)),
            ..rows(1)
        };
        let page = reader.page(PagedMethod::Own, context).await;
        assert_eq!(page.count, (count, false));
    }
}

async fn a_count_by_recipient_is_refused(test: &TestService) {
    let request = |change: CriteriaEdit| PageContext {
        search_criteria: Some(with(change)),
        pagination: Some(with(|it: &mut Pagination| it.do_count = true)),
        ..Default::default()
    };
    let cases: [(CriteriaEdit, &[&str]); 3] = [
        (|it| it.to_profile_id = "bob".into(), &["to_profile_id"]),
        (
            |it| it.party_profile_id = "bob".into(),
            &["party_profile_id"],
        ),
        (
            |it| (it.to_profile_id, it.party_profile_id) = ("bob".into(), "cid".into()),
            &["to_profile_id", "party_profile_id"],
        ),
    ];
    for (change, expected) in cases {
        let expected: Vec<String> = expected
            .iter()
            .map(|field| format!("context.search_criteria.{field}"))
            .collect();
        let own = GetMessagesPageRequest {
            context: Some(request(change)),
        };
        let own = fields(test.user("bob").get_messages_page(own)).await;
        assert_eq!(own, expected);
        let of_owner = GetMessagesForOwnerPageRequest {
            owner_profile_id: "bob".to_owned(),
            context: Some(request(change)),
        };
        let of_owner = fields(test.sys().get_messages_for_owner_page(of_owner)).await;
        assert_eq!(of_owner, expected);
    }
}

on_each_database![
    a_count_by_recipient_is_refused,
    each_criterion_keeps_matching_rows_only,
    all_criteria_must_hold,
    bounds_of_time_are_exclusive,
    the_count_of_a_box_is_free,
];
