//! What every gRPC listener serves beside its own service: health and reflection.

use anyhow::Context;
use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tonic_reflection::server::Builder as Reflection;

/// Adds health, and answers what reports it: `service` and the listener as a whole are
/// serving.
pub async fn add_health(routes: &mut RoutesBuilder, service: &'static str) -> Health {
    let reporter = HealthReporter::new();
    reporter
        .set_service_status(service, ServingStatus::Serving)
        .await;
    let health = HealthService::from_health_reporter(reporter.clone());
    routes.add_service(HealthServer::new(health));
    Health { reporter, service }
}

/// What a listener says about itself to load balancers.
pub struct Health {
    reporter: HealthReporter,
    service: &'static str,
}

impl Health {
    /// Asks that no new calls be sent here. Those who watch are told, and then their streams
    /// end: else they would hold their connections for as long as the drain may last.
    pub async fn leave(mut self) {
        for service in ["", self.service] {
            self.reporter
                .set_service_status(service, ServingStatus::NotServing)
                .await;
            self.reporter.clear_service_status(service).await;
        }
    }
}

/// Adds reflection, in both its versions, for the listener's own service.
///
/// # Errors
/// If a descriptor set is malformed.
pub fn add_reflection(
    routes: &mut RoutesBuilder,
    descriptor_set: &'static [u8],
) -> anyhow::Result<()> {
    let v1 = reflection(descriptor_set)
        .build_v1()
        .context("reflection v1")?;
    let v1alpha = reflection(descriptor_set)
        .build_v1alpha()
        .context("reflection v1alpha")?;
    routes.add_service(v1).add_service(v1alpha);
    Ok(())
}

fn reflection(descriptor_set: &'static [u8]) -> Reflection<'static> {
    Reflection::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(descriptor_set)
        // The details of errors, so that grpcurl can show them.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    use super::*;

    #[tokio::test]
    async fn who_watches_is_told_of_the_end_and_let_go() {
        let mut routes = RoutesBuilder::default();
        let health = add_health(&mut routes, "postroom.v1.Messaging").await;
        let mut client = HealthClient::new(routes.routes().prepare());
        let request = HealthCheckRequest {
            service: "postroom.v1.Messaging".to_owned(),
        };
        let mut watched = client.watch(request).await.expect("a stream").into_inner();
        let mut next = async || {
            watched
                .next()
                .await
                .map(|told| told.expect("no error").status)
        };

        assert_eq!(next().await, Some(ServingStatus::Serving as i32));
        health.leave().await;
        assert_eq!(next().await, Some(ServingStatus::NotServing as i32));
        assert_eq!(next().await, None);
    }
}
