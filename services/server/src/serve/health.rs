//! The gRPC health service of a listener.

use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// Adds the health service, with `service` and the listener as a whole as SERVING.
pub async fn add_health(routes: &mut RoutesBuilder, service: &'static str) -> Health {
    let reporter = HealthReporter::new();
    reporter
        .set_service_status(service, ServingStatus::Serving)
        .await;
    let health = HealthService::from_health_reporter(reporter.clone());
    routes.add_service(HealthServer::new(health));
    Health { reporter, service }
}

/// Health status of a listener.
pub struct Health {
    reporter: HealthReporter,
    service: &'static str,
}

impl Health {
    /// Reports `NOT_SERVING` to load balancers.
    pub async fn stop_serving(&self) {
        for service in ["", self.service] {
            self.reporter
                .set_service_status(service, ServingStatus::NotServing)
                .await;
        }
    }

    /// Ends the streams of `Watch`, which would otherwise hold their connections open for the
    /// whole drain.
    pub async fn end_watches(mut self) {
        for service in ["", self.service] {
            self.reporter.clear_service_status(service).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    use super::*;

    #[tokio::test]
    async fn a_watch_yields_not_serving_and_ends() {
        let mut routes = RoutesBuilder::default();
        let health = add_health(&mut routes, "postroom.v1.Messaging").await;
        let mut client = HealthClient::new(routes.routes().prepare());
        let request = HealthCheckRequest {
            service: "postroom.v1.Messaging".to_owned(),
        };
        let mut watch = client.watch(request).await.expect("a stream").into_inner();
        let mut next = async || {
            let response = watch.next().await;
            response.map(|response| response.expect("no error").status)
        };

        assert_eq!(next().await, Some(ServingStatus::Serving as i32));
        health.stop_serving().await;
        assert_eq!(next().await, Some(ServingStatus::NotServing as i32));
        health.end_watches().await;
        assert_eq!(next().await, None);
    }
}
