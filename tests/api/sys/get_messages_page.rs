use prost_types::Timestamp;
use proto::sys::v1::{
    GetMessagesPageRequest, RepositoryCriteria, RepositoryPage, RepositoryPageContext,
    UpdateMessageRequest,
};
use proto::v1::{MessageKind, Pagination, SortCriteria, SortDirection, SortField};
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    announce, delete, deletion, fields, ok, send, send_many, stored, text, with,
};

async fn page(test: &TestService, context: RepositoryPageContext) -> RepositoryPage {
    let request = GetMessagesPageRequest {
        context: Some(context),
    };
    ok(test.sys().get_messages_page(request))
        .await
        .results
        .expect("a page")
}

/// The messages that match, oldest first.
async fn found(test: &TestService, criteria: RepositoryCriteria) -> Vec<String> {
    let do_count = criteria.to_profile_id.is_empty();
    let context = RepositoryPageContext {
        search_criteria: Some(criteria),
        sort_criteria: Some(SortCriteria {
            direction: SortDirection::Ascending.into(),
            ..Default::default()
        }),
        pagination: Some(Pagination {
            do_count,
            ..Default::default()
        }),
        view: 0,
    };
    let page = page(test, context).await;
    let count = i64::try_from(page.items.len()).expect("a count");
    assert_eq!(page.count, if do_count { count } else { -1 });
    page.items
        .into_iter()
        .map(|message| message.message_id)
        .collect()
}

async fn a_page_shows_messages_as_the_method_by_id_does(test: &TestService) {
    let [first, second] = [
        send(test, "alice", &["bob"]).await,
        announce(test, &["bob"]).await,
    ];
    delete(test, "alice", "sent", &[&first]).await;
    delete(test, "bob", "inbox", &[&first]).await;
    let page = page(test, RepositoryPageContext::default()).await;
    assert_eq!(
        page.items,
        [stored(test, &second).await, stored(test, &first).await]
    );
    assert_eq!((page.count, page.page), (-1, 1));
}

async fn messages_deleted_for_everyone_are_gone(test: &TestService) {
    let sent = send_many(test, 2).await;
    let request = deletion("sent", &sent[..1], proto::v1::DeleteScope::Everyone);
    ok(test.user("alice").delete_messages(request)).await;
    assert_eq!(found(test, RepositoryCriteria::default()).await, sent[1..]);
}

/// A change of the criteria.
type RepositoryCriteriaEdit = fn(&mut RepositoryCriteria);

async fn each_criterion_keeps_matching_rows_only(test: &TestService) {
    let from_alice = send(test, "alice", &["bob", "carol"]).await;
    let from_bob = send(test, "bob", &["alice"]).await;
    let system = announce(test, &["bob"]).await;
    let cases: [(RepositoryCriteriaEdit, Vec<&String>); 9] = [
        (|_| (), vec![&from_alice, &from_bob, &system]),
        (
            |it| it.sender_profile_id = "alice".into(),
            vec![&from_alice],
        ),
        (
            |it| it.to_profile_id = "bob".into(),
            vec![&from_alice, &system],
        ),
        (|it| it.to_profile_id = "carol".into(), vec![&from_alice]),
        (|it| it.system_only = true, vec![&system]),
        (
            |it| it.set_kind(MessageKind::Regular),
            vec![&from_alice, &from_bob],
        ),
        (|it| it.set_kind(MessageKind::System), vec![&system]),
        (
            |it| (it.system_only, it.sender_profile_id) = (true, "alice".into()),
            vec![],
        ),
        (
            |it| (it.system_only, it.to_profile_id) = (true, "bob".into()),
            vec![&system],
        ),
    ];
    for (change, expected) in cases {
        let criteria: RepositoryCriteria = with(change);
        let found = found(test, criteria.clone()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{criteria:?}");
    }
}

fn second(seconds: i64) -> Timestamp {
    Timestamp {
        seconds: START.0 / 1000 + seconds,
        nanos: 0,
    }
}

/// Three messages, a second apart, the first of which was then updated.
async fn furnish(test: &TestService) -> Vec<String> {
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(send(test, "alice", &["bob"]).await);
        test.store.clock.advance(1000);
    }
    let request = UpdateMessageRequest {
        message_id: sent[0].clone(),
        content: Some(text("new")),
        ..Default::default()
    };
    ok(test.sys().update_message(request)).await;
    sent
}

async fn bounds_of_time_are_exclusive(test: &TestService) {
    let sent = furnish(test).await;
    let cases: [(RepositoryCriteriaEdit, &[String]); 4] = [
        (|it| it.sent_after = Some(second(1)), &sent[2..]),
        (|it| it.sent_before = Some(second(1)), &sent[..1]),
        (|it| it.updated_after = Some(second(2)), &sent[..1]),
        (|it| it.updated_after = Some(second(3)), &[]),
    ];
    for (change, expected) in cases {
        let criteria: RepositoryCriteria = with(change);
        assert_eq!(
            found(test, criteria.clone()).await,
            expected,
            "{criteria:?}"
        );
    }
}

async fn sorting_by_update_time_uses_the_last_update(test: &TestService) {
    let sent = furnish(test).await;
    let order = [&sent[0], &sent[2], &sent[1]];
    for (direction, order) in [
        (SortDirection::Descending, order),
        (SortDirection::Ascending, [order[2], order[1], order[0]]),
    ] {
        let context = RepositoryPageContext {
            sort_criteria: Some(SortCriteria {
                field: SortField::UpdateTime.into(),
                direction: direction.into(),
            }),
            ..Default::default()
        };
        let page = page(test, context).await;
        let found = page.items.iter().map(|message| &message.message_id);
        assert_eq!(found.collect::<Vec<_>>(), order, "{direction:?}");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let criteria = RepositoryCriteria {
        sender_profile_id: "a\nb".to_owned(),
        to_profile_id: "\u{202e}a".to_owned(),
        kind: -1,
        sent_after: Some(Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        ..Default::default()
    };
    let request = GetMessagesPageRequest {
        context: Some(RepositoryPageContext {
            search_criteria: Some(criteria),
            ..Default::default()
        }),
    };
    let found = fields(test.sys().get_messages_page(request)).await;
    let expected = ["sender_profile_id", "to_profile_id", "kind", "sent_after"];
    assert_eq!(
        found,
        expected.map(|field| format!("context.search_criteria.{field}"))
    );
}

async fn a_count_by_recipient_is_refused(test: &TestService) {
    let request = GetMessagesPageRequest {
        context: Some(RepositoryPageContext {
            search_criteria: Some(with(|it: &mut RepositoryCriteria| {
                it.to_profile_id = "bob".into();
            })),
            pagination: Some(with(|it: &mut Pagination| it.do_count = true)),
            ..Default::default()
        }),
    };
    let found = fields(test.sys().get_messages_page(request)).await;
    assert_eq!(found, ["context.search_criteria.to_profile_id"]);
}

on_each_database![
    a_count_by_recipient_is_refused,
    a_page_shows_messages_as_the_method_by_id_does,
    messages_deleted_for_everyone_are_gone,
    each_criterion_keeps_matching_rows_only,
    bounds_of_time_are_exclusive,
    sorting_by_update_time_uses_the_last_update,
    all_violations_are_reported_at_once,
];
