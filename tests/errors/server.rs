//! Calls that the server cannot take, or cannot answer.

use std::time::Duration;

use auth::{Authenticator, Issuer, Jwks};
use domain::Quotas;
use proto::sys::v1 as sys;
use proto::v1;
use rpc::stack::{Config, ServiceName, stack};
use rpc::{InFlightLimits, Limiter, Revocations};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::{Bearer, Listeners, TestService};
use support::store::DatabaseKind;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::service::{Interceptor as _, Routes};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::golden::compare;
use crate::api::audit::run;
use crate::api::builders::{message, named, refused, send, stored, text};

fn token(test: &TestService) -> String {
    TestIssuer::shared().user(APP, "bob", test.now_s())
}

/// Calls `GetMessageCounts` as Bob, with an entry in the metadata.
async fn counts_with(test: &TestService, key: &'static str, value: &'static str) -> Status {
    let mut request = Request::new(v1::GetMessageCountsRequest {});
    let value = MetadataValue::from_static(value);
    request.metadata_mut().insert(key, value);
    refused(test.user("bob").get_message_counts(request)).await
}

/// Bob calls a method with a message that is not its request.
async fn call_with(
    test: &TestService,
    path: &'static str,
    message: impl prost::Message + 'static,
) -> Status {
    let request = Bearer::new(&token(test))
        .call(Request::new(()))
        .expect("a request");
    let mut client = Grpc::new(test.listeners.messaging.clone());
    client
        .unary(
            request.map(|()| message),
            PathAndQuery::from_static(path),
            ProstCodec::<_, ()>::default(),
        )
        .await
        .expect_err("a refusal")
}

/// A replica that takes no calls at all.
async fn overloaded(test: &TestService) -> Status {
    call_to_replica(test, TestIssuer::shared().config(), 0).await
}

/// A replica that has not loaded the issuer's keys.
async fn without_keys(test: &TestService) -> Status {
    let mut issuer = TestIssuer::shared().config();
    issuer.jwks = Jwks::Url("http://127.0.0.1:1/jwks.json".to_owned());
    call_to_replica(test, issuer, 1).await
}

/// Bob calls a replica that trusts an issuer and takes this number of calls.
async fn call_to_replica(test: &TestService, issuer: Issuer, calls_in_flight_max: usize) -> Status {
    let authenticator = Authenticator::start(vec![issuer], test.store.clock.clone());
    let config = Config {
        service: ServiceName::Messaging,
        authenticator: authenticator.await.expect("an authenticator"),
        revocations: Revocations::none(),
        limiter: Limiter::fixed(Quotas::NO_LIMITS),
        request_bytes_max: 1024,
        pseudonym_key: rpc::PseudonymKey::new([7; 32]),
        limits_addresses: false,
        audit: None,
        calls_in_flight_max,
        in_flight: InFlightLimits::NONE,
    };
    let options = messaging::Options {
        max_request_bytes: 1024,
        timing: messaging::StreamTiming::default(),
        revocations: Revocations::none(),
    };
    let service = messaging::service(test.store.store.clone(), test.store.hub.clone(), options);
    let routes = Routes::new(service);
    let messaging = stack(config, routes).expect("a stack");
    let listeners = Listeners {
        messaging,
        sys: test.listeners.sys.clone(),
    };
    let mut bob = listeners.user(&token(test));
    refused(bob.get_message_counts(v1::GetMessageCountsRequest {})).await
}

/// A replica whose database is gone.
async fn without_database(test: &TestService) -> [Status; 2] {
    let (store, listeners) = test.replica().await;
    store.close().await;
    let mut bob = listeners.user(&token(test));
    [
        refused(bob.get_message_counts(v1::GetMessageCountsRequest {})).await,
        refused(bob.send_message(message(&["bob"], text("hi")))).await,
    ]
}

/// Puts rubbish into the contents of all messages, behind the store's back.
async fn corrupt(test: &TestService) {
    let url = test.store.database().url();
    let update = "UPDATE message SET content = digest";
    match test.store.backend() {
        DatabaseKind::Sqlite => {
            let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
            sqlx::query(update)
                .execute(&mut connection)
                .await
                .expect("an update");
        }
        DatabaseKind::Postgres => {
            let mut connection = PgConnection::connect(&url).await.expect("a connection");
            sqlx::query(update)
                .execute(&mut connection)
                .await
                .expect("an update");
        }
    }
}

async fn server_errors_reveal_no_internals(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let no_time = {
        let mut request = Request::new(v1::GetMessageCountsRequest {});
        request.set_timeout(Duration::ZERO);
        refused(test.user("bob").get_message_counts(request)).await
    };
    let [no_read, no_write] = without_database(test).await;
    let get = "/postroom.v1.Messaging/GetMessages";
    let too_large = message(&["bob"], text(&"x".repeat(140_000)));
    let mut cases = vec![
        (
            "a request that is too large",
            refused(test.user("bob").send_message(too_large)).await,
        ),
        (
            "a request that is malformed",
            call_with(
                test,
                get,
                v1::Pagination {
                    rows_per_page: 1,
                    ..Default::default()
                },
            )
            .await,
        ),
        (
            "a deadline that is malformed",
            counts_with(test, "grpc-timeout", "soon").await,
        ),
        (
            "a request that is compressed",
            counts_with(test, "grpc-encoding", "gzip").await,
        ),
        (
            "a method that is not there",
            call_with(test, "/postroom.v1.Messaging/Get", ()).await,
        ),
        (
            "a method of the other listener",
            call_with(
                test,
                "/postroom.sys.v1.Sys/GetMessages",
                sys::GetMessagesRequest::default(),
            )
            .await,
        ),
        ("a deadline that has passed", no_time),
        ("more calls than can be answered", overloaded(test).await),
        ("a call without the issuer's keys", without_keys(test).await),
        ("a read without a database", no_read),
        ("a write without a database", no_write),
    ];
    run(test, "ALTER TABLE audit_id RENAME TO gone").await;
    let of_message = sys::GetMessagesRequest {
        message_ids: vec![id.clone()],
        ..Default::default()
    };
    cases.push((
        "a read that cannot be audited",
        refused(test.sys().get_messages(of_message)).await,
    ));
    run(test, "ALTER TABLE gone RENAME TO audit_id").await;
    let before = stored(test, &id).await;
    corrupt(test).await;
    // By a replica that has to read it.
    let (store, listeners) = test.replica().await;
    let mut bob = listeners.user(&token(test));
    cases.push((
        "a row that is corrupt",
        refused(bob.get_messages(named("inbox", &[&id]))).await,
    ));
    store.close().await;
    assert!(before.content.is_some());
    compare("server", &cases);
}

on_each_database![server_errors_reveal_no_internals];
