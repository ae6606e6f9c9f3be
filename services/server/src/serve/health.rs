//! The gRPC health service of a listener, `grpc.health.v1`.
//!
//! Anyone may call it, so its streams are bounded in number and age. Clients watch again after
//! every end, as the protocol asks of them.

use futures::StreamExt as _;
use futures::stream::{self, BoxStream, Stream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::open_streams::{StreamKind, StreamPlace, StreamPlaces};
use crate::limits::{HEALTH_REQUEST_BYTES_MAX, WATCH_AGE_MAX};

/// Adds the health service, with `services` and the listener as a whole as SERVING.
pub fn add_health(routes: &mut RoutesBuilder, services: &'static [&'static str]) -> Health {
    let (status, current) = watch::channel(ServingStatus::Serving);
    let checks = HealthChecks {
        services,
        current,
        places: StreamPlaces::new(StreamKind::Watch),
    };
    let server = HealthServer::new(checks).max_decoding_message_size(HEALTH_REQUEST_BYTES_MAX);
    routes.add_service(server);
    Health(status)
}

/// Health status of a listener. Its end ends the streams of `Watch`, which would otherwise hold
/// their connections open for the whole drain.
pub struct Health(watch::Sender<ServingStatus>);

impl Health {
    /// Reports `NOT_SERVING` to load balancers.
    pub fn stop_serving(&self) {
        self.0.send_replace(ServingStatus::NotServing);
    }
}

/// Answers about the health of a listener.
struct HealthChecks {
    services: &'static [&'static str],
    current: watch::Receiver<ServingStatus>,
    places: StreamPlaces,
}

impl HealthChecks {
    /// Returns whether the listener serves this service; the empty name is the listener's own.
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.contains(&service)
    }
}

#[tonic::async_trait]
impl HealthRpc for HealthChecks {
    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.knows(&request.get_ref().service) {
            return Err(Status::not_found("unknown service"));
        }
        Ok(Response::new(response(*self.current.borrow())))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let place = self.places.take(request.extensions())?;
        let is_known = self.knows(&request.get_ref().service);
        let responses = responses(self.current.clone(), is_known, place);
        Ok(Response::new(responses.boxed()))
    }
}

/// Returns the current status and its changes, until the drain or [`WATCH_AGE_MAX`]. An unknown
/// service has the status `SERVICE_UNKNOWN`. The place is free before the end is told.
fn responses(
    mut current: watch::Receiver<ServingStatus>,
    is_known: bool,
    place: StreamPlace,
) -> impl Stream<Item = Result<HealthCheckResponse, Status>> {
    current.mark_changed();
    let end = Instant::now() + WATCH_AGE_MAX;
    stream::unfold((current, place), move |(mut current, place)| async move {
        timeout_at(end, current.changed()).await.ok()?.ok()?;
        let status = if is_known {
            *current.borrow()
        } else {
            ServingStatus::ServiceUnknown
        };
        Some((Ok(response(status)), (current, place)))
    })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request as HttpRequest;
    use tonic::body::Body;
    use tonic::codec::Streaming;
    use tonic::{Code, Request};
    use tonic_health::pb::health_client::HealthClient;
    use tower::ServiceExt as _;
    use tower::util::BoxCloneService;

    use super::*;
    use crate::serve::open_streams::ConnectionPlaces;

    const SERVICE: &str = "postroom.v1.Messaging";

    type Connection = HealthClient<
        BoxCloneService<HttpRequest<Body>, http::Response<Body>, std::convert::Infallible>,
    >;

    /// Returns the health of a listener, and a connection to it.
    fn connect() -> (Health, Connection) {
        let mut routes = RoutesBuilder::default();
        let health = add_health(&mut routes, &[SERVICE]);
        let places = ConnectionPlaces::new();
        let routes = routes.routes().prepare();
        let routes = routes.map_request(move |mut request: HttpRequest<Body>| {
            request.extensions_mut().insert(places.clone());
            request
        });
        (health, HealthClient::new(BoxCloneService::new(routes)))
    }

    fn request(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest {
            service: service.to_owned(),
        })
    }

    async fn watch(client: &mut Connection, service: &str) -> Streaming<HealthCheckResponse> {
        let stream = client.watch(request(service)).await;
        stream.expect("a stream").into_inner()
    }

    async fn next(watch: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
        let response = watch.message().await.expect("no error");
        response.map(|response| response.status())
    }

    #[tokio::test]
    async fn a_watch_yields_not_serving_and_ends() {
        let (health, mut client) = connect();
        let mut watch = watch(&mut client, SERVICE).await;
        assert_eq!(next(&mut watch).await, Some(ServingStatus::Serving));
        health.stop_serving();
        assert_eq!(next(&mut watch).await, Some(ServingStatus::NotServing));
        drop(health);
        assert_eq!(next(&mut watch).await, None);
    }

    #[tokio::test]
    async fn an_unknown_service_is_watched_and_not_found() {
        let (health, mut client) = connect();
        let mut watch = watch(&mut client, "postroom.sys.v1.Sys").await;
        assert_eq!(next(&mut watch).await, Some(ServingStatus::ServiceUnknown));
        drop(health);
        assert_eq!(next(&mut watch).await, None);
        let check = client.check(request("postroom.sys.v1.Sys")).await;
        assert_eq!(check.expect_err("no such service").code(), Code::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_ends_after_an_hour_and_may_be_repeated() {
        let (_health, mut client) = connect();
        let start = Instant::now();
        let mut first = watch(&mut client, "").await;
        let second = client.watch(request("")).await.expect_err("refused");
        assert_eq!(second.code(), Code::ResourceExhausted);
        assert_eq!(next(&mut first).await, Some(ServingStatus::Serving));
        assert_eq!(next(&mut first).await, None);
        assert_eq!(start.elapsed(), WATCH_AGE_MAX);
        watch(&mut client, "").await;
    }
}
