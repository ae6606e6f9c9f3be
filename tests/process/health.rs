//! Health and reflection of the real program, which strangers may call.

use futures::stream;
use support::process::{Deployment, ServerProcess};
use support::service::Bearer;
use support::store::{DatabaseKind, TestEnvironment as _};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Interceptor as _;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

fn connection(address: std::net::SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    endpoint.expect("an address").connect_lazy()
}

fn named(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn a_connection_may_have_one_watch() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut client = HealthClient::new(connection(server.user));
    let first = client.watch(named("")).await.expect("a stream");
    for service in ["", "postroom.v1.Messaging", "postroom.v1.Conversations"] {
        let second = client.watch(named(service)).await.expect_err("refused");
        assert_eq!(second.code(), Code::ResourceExhausted);
        let info = second.get_details_error_info().expect("a reason");
        assert_eq!(info.reason, "TOO_MANY_STREAMS");
    }
    let mut other = HealthClient::new(connection(server.user));
    other.watch(named("")).await.expect("a stream");
    drop(first);
    while client.watch(named("")).await.is_err() {
        tokio::task::yield_now().await;
    }
    deployment.end(true).await;
}

#[tokio::test]
async fn the_watch_of_an_unknown_service_begins_with_service_unknown() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let mut client = HealthClient::new(connection(server.user));
    let unknown = "postroom.sys.v1.Sys";
    let watch = client.watch(named(unknown)).await.expect("a stream");
    let first = watch.into_inner().message().await.expect("no error");
    let status = first.expect("a status").status();
    assert_eq!(status, ServingStatus::ServiceUnknown);
    let check = client.check(named(unknown)).await.expect_err("unknown");
    assert_eq!(check.code(), Code::NotFound);
    deployment.end(true).await;
}

/// Returns the code of a reflection stream with an empty request, which an open one refuses as
/// invalid.
async fn reflection(channel: &Channel, path: &'static str, token: &str) -> Code {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let request = Bearer::new(token).call(Request::new(()));
    let request = request.expect("a request").map(|()| stream::once(async {}));
    let codec = ProstCodec::<(), ()>::default();
    let path = PathAndQuery::from_static(path);
    match client.streaming(request, path, codec).await {
        Ok(answer) => match answer.into_inner().message().await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        },
        Err(status) => status.code(),
    }
}

#[tokio::test]
async fn reflection_of_sys_requires_a_token_of_sys() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let server = deployment.serve();
    let (user, sys) = (connection(server.user), connection(server.sys));
    for path in REFLECTION {
        assert_eq!(reflection(&user, path, "").await, Code::InvalidArgument);
        for (token, code) in [
            ("", Code::Unauthenticated),
            (&server.tokens.alice, Code::PermissionDenied),
            (&server.tokens.sys, Code::InvalidArgument),
        ] {
            assert_eq!(reflection(&sys, path, token).await, code, "{path}");
        }
    }
    deployment.end(true).await;
}

#[tokio::test]
async fn reflection_that_is_not_configured_is_not_served() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let mut start = deployment.start();
    let off = ("POSTROOM_GRPC__REFLECTION", "false".to_owned());
    start.variables.push(off);
    let server = ServerProcess::start(&start);
    for path in REFLECTION {
        let (user, sys) = (connection(server.user), connection(server.sys));
        assert_eq!(reflection(&user, path, "").await, Code::Unimplemented);
        let code = reflection(&sys, path, &server.tokens.sys).await;
        assert_eq!(code, Code::Unimplemented);
    }
    deployment.end(true).await;
}
