//! The gRPC reflection service, in both of its versions.

mod bounded_requests;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use anyhow::Context as _;
use futures::future::Either;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_reflection::server::Builder as Reflection;
use tower::Service;

use self::bounded_requests::BoundedRequests;
use super::open_streams::{StreamKind, StreamPlaces};

/// Adds reflection of the services in a descriptor set.
///
/// # Errors
/// If a descriptor set is malformed.
pub fn add_reflection(
    routes: &mut RoutesBuilder,
    descriptor_set: &'static [u8],
) -> anyhow::Result<()> {
    let places = StreamPlaces::new(StreamKind::Reflection);
    let v1 = builder(descriptor_set)
        .build_v1()
        .context("reflection v1")?;
    let v1alpha = builder(descriptor_set)
        .build_v1alpha()
        .context("reflection v1alpha")?;
    routes
        .add_service(BoundedReflection::new(v1, &places))
        .add_service(BoundedReflection::new(v1alpha, &places));
    Ok(())
}

fn builder(descriptor_set: &'static [u8]) -> Reflection<'static> {
    Reflection::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(descriptor_set)
        // Details of errors, so that grpcurl can show them.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
}

/// Reflection whose streams are bounded in number, age and requests. The response stream ends
/// with its requests.
#[derive(Clone)]
struct BoundedReflection<S> {
    service: S,
    places: StreamPlaces,
}

impl<S> BoundedReflection<S> {
    fn new(service: S, places: &StreamPlaces) -> Self {
        Self {
            service,
            places: places.clone(),
        }
    }
}

impl<S: NamedService> NamedService for BoundedReflection<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for BoundedReflection<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.places.take(request.extensions()) {
            Ok(place) => {
                let request = request.map(|body| Body::new(BoundedRequests::new(body, place)));
                Either::Left(self.service.call(request))
            }
            Err(error) => Either::Right(ready(Ok(Status::from(error).into_http()))),
        }
    }
}
