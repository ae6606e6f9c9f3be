//! A call that is still open when the service has to end.

use std::time::Duration;

use futures::stream;
use proto::v1;
use support::on_each_database;
use support::process::{Deployment, ServerProcess};
use support::service::Bearer;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Interceptor as _;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::golden::compare;

/// Deadline beyond the time that a draining service waits for its calls.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call whose request never ends.
async fn call_endlessly(channel: Channel, token: String) -> Status {
    let mut request = Bearer::new(&token)
        .call(Request::new(()))
        .expect("a request");
    request.set_timeout(PATIENCE);
    let endless = request.map(|()| stream::pending::<v1::GetMessageCountsRequest>());
    let mut client = Grpc::new(channel);
    client.ready().await.expect("a connection");
    let answer = client
        .client_streaming(
            endless,
            PathAndQuery::from_static("/postroom.v1.Messaging/GetMessageCounts"),
            ProstCodec::<_, v1::GetMessageCountsResponse>::default(),
        )
        .await;
    answer.expect_err("a refusal")
}

async fn a_drained_call_has_a_golden_error_with_a_retry_delay(deployment: &Deployment) {
    let mut start = deployment.start();
    start
        .variables
        .push(("POSTROOM_DRAIN__CALLS_SECONDS", "1".to_owned()));
    let server = ServerProcess::start(&start);
    let endpoint = Endpoint::from_shared(format!("http://{}", server.user)).expect("an address");
    let channel = endpoint.connect().await.expect("a connection");
    let open = tokio::spawn(call_endlessly(channel.clone(), server.tokens.alice.clone()));
    // Sent on the same connection after the other call.
    tokio::task::yield_now().await;
    let bearer = Bearer::new(&server.tokens.alice);
    v1::messaging_client::MessagingClient::with_interceptor(channel, bearer)
        .get_message_counts(v1::GetMessageCountsRequest {})
        .await
        .expect("counts");
    server.terminate();
    let told = open.await.expect("a task");
    compare(
        "draining",
        &[("a call that is open when the service ends", told)],
    );
    assert!(server.ended().await.success());
}

on_each_database![a_drained_call_has_a_golden_error_with_a_retry_delay];
