//! The audit log of calls: every method that is to be audited is, by its place in the catalogue.

use std::collections::BTreeSet;

use domain::audit::AuditKind;
use proto::sys::v1 as sys;
use proto::v1;
use rpc::methods::Methods;
use rpc::stack::ServiceName;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use support::on_each_database;
use support::service::TestService;
use support::store::DatabaseKind;

use super::builders::{announce, ok, reason, send, text};
use super::request_ids::{Callers, Mutation, MutationTargets, segment};
use super::sys::list_audit::{chain, records};

/// Text that no record contains.
const CANARY: &str = "kanarienvogel";

/// Runs statements behind the store's back.
pub async fn run(test: &TestService, statements: &str) {
    let url = test.store.database().url();
    let statements = AssertSqlSafe(statements.to_owned());
    match test.store.backend() {
        DatabaseKind::Sqlite => {
            let connection = SqliteConnection::connect(&url).await;
            let mut connection = connection.expect("a connection");
            let ran = sqlx::raw_sql(statements).execute(&mut connection).await;
            ran.expect("it runs");
        }
        DatabaseKind::Postgres => {
            let connection = PgConnection::connect(&url).await;
            let mut connection = connection.expect("a connection");
            let ran = sqlx::raw_sql(statements).execute(&mut connection).await;
            ran.expect("it runs");
        }
    }
}

/// Calls every method of `Sys` that shows contents.
async fn read_everything(test: &TestService) {
    let mut app = test.sys();
    let id = send(test, "alice", &["bob"]).await;
    let everything = sys::GetMessagesRequest {
        message_ids: vec![id],
        ..Default::default()
    };
    ok(app.get_messages(everything)).await;
    let page = ok(app.get_messages_page(sys::GetMessagesPageRequest::default())).await;
    let offset = sys::GetMessagesPageOffsetRequest {
        context: page.context,
        page_offset: 0,
    };
    ok(app.get_messages_page_offset(offset)).await;
    let of_bob = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        ..Default::default()
    };
    let page = ok(app.get_messages_for_owner_page(of_bob)).await;
    let offset = sys::GetMessagesForOwnerPageOffsetRequest {
        owner_profile_id: "bob".to_owned(),
        context: page.context,
        page_offset: 0,
    };
    ok(app.get_messages_for_owner_page_offset(offset)).await;
    let export = sys::ExportProfileRequest {
        profile_id: "bob".to_owned(),
        page_token: String::new(),
    };
    ok(app.export_profile(export)).await;
    let bulk = sys::GetBulkRequest {
        message_id: super::sys::send_bulk::to_all(test).await,
    };
    ok(app.get_bulk(bulk)).await;
}

async fn every_method_of_the_catalogue_that_is_audited_leaves_a_record(test: &TestService) {
    let callers = Callers::of(test, &test.listeners);
    for mutation in Mutation::ALL {
        let world = MutationTargets::furnish(test).await;
        let before = records(test, sys::ListAuditRequest::default()).await.len();
        let id = format!("{mutation:?}");
        let call = async || mutation.call(&callers, &world, &id, "a").await;
        call().await.expect("an answer");
        let all = records(test, sys::ListAuditRequest::default()).await;
        let expected = usize::from(!mutation.is_of_user());
        assert_eq!(all.len() - before, expected, "{mutation:?}");
        if expected > 0 {
            let method = mutation.method().replace("Sys.", "Sys/");
            assert_eq!(all[0].method_name, method);
        }
        call().await.expect("the answer again");
        let again = records(test, sys::ListAuditRequest::default()).await;
        assert_eq!(again.len(), all.len(), "{mutation:?} is repeated");
    }
    read_everything(test).await;

    let recorded: BTreeSet<(String, bool)> = records(test, sys::ListAuditRequest::default())
        .await
        .into_iter()
        .map(|record| (record.kind() == sys::AuditKind::Read, record.method_name))
        .map(|(is_read, method)| (method, is_read))
        .collect();
    let methods = Methods::of(ServiceName::Sys).expect("a catalogue");
    let audited = methods.iter().filter_map(|method| {
        let kind = method.audit()?;
        Some((method.name().to_owned(), kind == AuditKind::Read))
    });
    assert_eq!(recorded, audited.collect());
    let user = Methods::of(ServiceName::Messaging).expect("a catalogue");
    assert!(user.iter().all(|method| method.audit().is_none()));
}

async fn a_read_of_contents_is_recorded_with_owner_and_messages(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let of_bob = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        ..Default::default()
    };
    ok(test.sys().get_messages_for_owner_page(of_bob)).await;
    let unknown = sys::GetMessagesRequest {
        message_ids: vec![super::builders::UNKNOWN.to_owned()],
        ..Default::default()
    };
    assert_eq!(
        reason(test.sys().get_messages(unknown)).await,
        "MESSAGE_NOT_FOUND"
    );
    let [record] = &records(test, sys::ListAuditRequest::default()).await[..] else {
        panic!("not one record");
    };
    assert_eq!(record.kind(), sys::AuditKind::Read);
    assert_eq!((record.affected, record.id_count), (1, 2));
    assert_eq!(record.touched_profile_ids, ["bob"]);
    assert_eq!(record.touched_message_ids, [id]);
}

async fn contents_are_not_shown_if_the_read_cannot_be_recorded(test: &TestService) {
    let id = announce(test, &["bob"]).await;
    run(test, "ALTER TABLE audit_id RENAME TO gone").await;
    let named = || sys::GetMessagesRequest {
        message_ids: vec![id.clone()],
        ..Default::default()
    };
    let refused = reason(test.sys().get_messages(named())).await;
    assert_eq!(refused, "AUDIT_UNAVAILABLE");
    let counts = sys::GetMessageCountsForOwnerRequest {
        owner_profile_id: "bob".to_owned(),
    };
    ok(test.sys().get_message_counts_for_owner(counts)).await;
    let bobs = v1::GetMessageCountsRequest {};
    ok(test.user("bob").get_message_counts(bobs)).await;
    run(test, "ALTER TABLE gone RENAME TO audit_id").await;
    ok(test.sys().get_messages(named())).await;
}

async fn the_hash_of_a_request_tells_it_from_others(test: &TestService) {
    let hashes = async || {
        let records = records(test, sys::ListAuditRequest::default()).await;
        let hashes = records.into_iter().map(|record| record.request_hash);
        hashes.collect::<Vec<_>>()
    };
    for to in [&["alice"][..], &["alice"], &["bob"]] {
        announce(test, to).await;
    }
    let [of_bob, first, second] = &hashes().await[..] else {
        panic!("not three records");
    };
    assert_eq!(first, second);
    assert_ne!(first, of_bob);
    for body in ["a", "a", "b"] {
        let pieces = futures::stream::iter(segment(body, String::new()));
        ok(test.sys().send_to_profiles(pieces)).await;
    }
    let [other, first, second, ..] = &hashes().await[..] else {
        panic!("not three records");
    };
    assert_eq!(first, second);
    assert_ne!(first, other);
}

async fn no_record_has_contents(test: &TestService) {
    let canary = || sys::SendMessageRequest {
        to: vec!["bob".to_owned()],
        content: Some(text(CANARY)),
        sender: Some(v1::Sender {
            name: CANARY.to_owned(),
            ..Default::default()
        }),
        request_id: CANARY.to_owned(),
        ..Default::default()
    };
    let sent = ok(test.sys().send_message(canary())).await;
    let update = sys::UpdateMessageRequest {
        message_id: sent.message_id,
        content: Some(text(CANARY)),
        ..Default::default()
    };
    ok(test.sys().update_message(update)).await;
    read_everything(test).await;
    chain(test).await;
    let all = records(test, sys::ListAuditRequest::default()).await;
    assert!(all.len() > 7, "{all:?}");
    assert!(!format!("{all:?}").contains(CANARY));
}

on_each_database![
    every_method_of_the_catalogue_that_is_audited_leaves_a_record,
    a_read_of_contents_is_recorded_with_owner_and_messages,
    contents_are_not_shown_if_the_read_cannot_be_recorded,
    the_hash_of_a_request_tells_it_from_others,
    no_record_has_contents,
];
