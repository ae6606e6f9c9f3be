//! The operations listener: probes and metrics, over HTTP.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use telemetry::Metrics;
use tokio::net::TcpListener;

use super::drain::Drain;
use super::readiness::Readiness;

/// Router of `/livez` and `/readyz`.
pub fn probes(readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(|| async { "live\n" }))
        .route(
            "/readyz",
            get(async |State(readiness): State<Readiness>| readiness.answer().await),
        )
        .with_state(readiness)
}

/// Router of `/metrics`.
pub fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state(metrics)
}

async fn render(State(metrics): State<Metrics>) -> Response {
    match metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics.failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A bound port of the operations listener.
pub struct OperationsPort(TcpListener);

impl OperationsPort {
    /// Binds the port.
    ///
    /// # Errors
    /// If the address is in use or not available.
    pub async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} (operations)"))?;
        Ok(Self(listener))
    }

    /// Address of the port, with its actual number if the configuration has 0.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Serves until the drain cuts connections, so that probes can observe the drain.
    pub async fn run(self, router: Router, drain: Drain) {
        let server = axum::serve(self.0, router);
        tokio::select! {
            result = server => if let Err(error) = result {
                tracing::error!(%error, "operations.failed");
            },
            () = drain.cut() => {}
        }
    }
}
