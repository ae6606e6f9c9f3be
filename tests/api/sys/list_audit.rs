use domain::limits::{DAY_MS, JOB_HELD_MS};
use proto::sys::v1::{AuditKind, AuditRecord, ListAuditRequest, ListAuditResponse};
use serde_json::json;
use support::issuer::{ALL_SCOPES, APP, TestIssuer, sys_claims};
use support::on_each_database;
use support::service::{InProcessApp, TestService};

use crate::api::builders::{announce, fields, ok, reason};

/// The app, by a token with this subject.
fn caller(test: &TestService, subject: &str) -> InProcessApp {
    let mut claims = sys_claims(APP, ALL_SCOPES, test.now_s());
    claims["sub"] = json!(subject);
    test.listeners.sys(&TestIssuer::shared().sign(&claims))
}

/// Numbers all records. A store that has had nothing to do waits until its own lease is over.
pub async fn chain(test: &TestService) {
    test.store.clock.advance(JOB_HELD_MS);
    while test.store.store.run_jobs().await.expect("a step") {}
}

async fn page(test: &TestService, request: ListAuditRequest) -> ListAuditResponse {
    ok(test.sys().list_audit(request)).await
}

/// All records that meet criteria, the latest first.
pub async fn records(test: &TestService, request: ListAuditRequest) -> Vec<AuditRecord> {
    chain(test).await;
    let mut records = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListAuditRequest {
            page_token,
            ..request.clone()
        };
        let answer = page(test, request).await;
        records.extend(answer.records);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return records;
        }
    }
}

async fn a_record_has_caller_method_and_touched_ids(test: &TestService) {
    let now_s = test.now_s();
    let id = announce(test, &["alice", "bob"]).await;
    let [record] = &records(test, ListAuditRequest::default()).await[..] else {
        panic!("not one record");
    };
    let AuditRecord {
        audit_no,
        method_name,
        affected,
        subject,
        issuer,
        key_id,
        request_hash,
        touched_profile_ids,
        touched_message_ids,
        touched_job_ids,
        id_count,
        erased_ids,
        ..
    } = record.clone();
    assert_eq!((audit_no, affected, id_count, erased_ids), (1, 2, 3, 0));
    assert_eq!(record.kind(), AuditKind::Change);
    assert_eq!(method_name, "postroom.sys.v1.Sys/SendMessage");
    assert_eq!((subject.as_str(), key_id.as_str()), ("", "test"));
    assert_eq!(issuer, TestIssuer::shared().config().iss);
    assert_eq!(request_hash.len(), 32);
    assert_eq!(touched_profile_ids, ["alice", "bob"]);
    assert_eq!((touched_message_ids, touched_job_ids), (vec![id], vec![]));
    let time = record.time.expect("a time");
    assert_eq!(time.seconds, now_s);
}

async fn pages_and_criteria_find_records(test: &TestService) {
    for _ in 0..5 {
        announce(test, &["alice"]).await;
    }
    test.store.clock.advance(DAY_MS);
    let now_s = test.now_s();
    let settings = proto::sys::v1::UpdateAppSettingsRequest {
        settings: Some(proto::sys::v1::AppSettings::default()),
        ..Default::default()
    };
    let mut hook = caller(test, "hook-1");
    ok(hook.update_app_settings(settings)).await;
    chain(test).await;

    let numbers = async |request| {
        let records = records(test, request).await;
        let numbers = records.iter().map(|record| record.audit_no);
        numbers.collect::<Vec<_>>()
    };
    let request = ListAuditRequest::default;
    let in_pages = ListAuditRequest {
        page_size: 2,
        ..request()
    };
    let first = page(test, in_pages.clone()).await;
    assert_eq!(first.records.len(), 2);
    assert_eq!(numbers(in_pages).await, [6, 5, 4, 3, 2, 1]);
    let of_hook = ListAuditRequest {
        subject: "hook-1".to_owned(),
        ..request()
    };
    assert_eq!(numbers(of_hook).await, [6]);
    let of_method = ListAuditRequest {
        method_name: "postroom.sys.v1.Sys/UpdateAppSettings".to_owned(),
        ..request()
    };
    assert_eq!(numbers(of_method).await, [6]);
    let of_alice = ListAuditRequest {
        touched_id: "alice".to_owned(),
        ..request()
    };
    assert_eq!(numbers(of_alice).await, [5, 4, 3, 2, 1]);
    let today = ListAuditRequest {
        after: Some(prost_types::Timestamp {
            seconds: now_s - 1,
            nanos: 0,
        }),
        ..request()
    };
    assert_eq!(numbers(today).await, [6]);
}

async fn an_app_sees_its_own_log_only(test: &TestService) {
    announce(test, &["alice"]).await;
    chain(test).await;
    let in_pages = || ListAuditRequest {
        page_size: 1,
        ..Default::default()
    };
    announce(test, &["alice"]).await;
    chain(test).await;
    let token = page(test, in_pages()).await.next_page_token;
    let mut other = test.sys_of("other", "sys.audit");
    let answer = ok(other.list_audit(in_pages())).await;
    assert_eq!(answer, ListAuditResponse::default());
    let foreign = ListAuditRequest {
        page_token: token,
        ..Default::default()
    };
    let refused = reason(other.list_audit(foreign)).await;
    assert_eq!(refused, "PAGE_CONTEXT_INVALID");
}

async fn invalid_requests_are_refused(test: &TestService) {
    let long = || "x".repeat(257);
    let invalid = ListAuditRequest {
        before: Some(prost_types::Timestamp {
            seconds: 0,
            nanos: -1,
        }),
        method_name: long(),
        subject: long(),
        touched_id: long(),
        ..Default::default()
    };
    let found = fields(test.sys().list_audit(invalid)).await;
    assert_eq!(found, ["before", "method_name", "subject", "touched_id"]);
    let token = ListAuditRequest {
        page_token: "x".to_owned(),
        ..Default::default()
    };
    let refused = reason(test.sys().list_audit(token)).await;
    assert_eq!(refused, "PAGE_CONTEXT_INVALID");
}

on_each_database![
    a_record_has_caller_method_and_touched_ids,
    pages_and_criteria_find_records,
    an_app_sees_its_own_log_only,
    invalid_requests_are_refused,
];
