//! The operations listener: probes and metrics, over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use storage::Lifecycle;
use telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::drain::Drain;
use crate::limits::READY_TIMEOUT;

/// State that the probes read.
#[derive(Clone)]
pub struct Probes {
    pub store: Arc<dyn Lifecycle>,
    pub drain: Drain,
}

/// Router of `/livez` and `/readyz`.
pub fn probes(probes: Probes) -> Router {
    Router::new()
        .route("/livez", get(|| async { "live\n" }))
        .route("/readyz", get(readyz))
        .with_state(probes)
}

/// Router of `/metrics`.
pub fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state(metrics)
}

/// Returns 200 while the store accepts writes and no drain has begun, otherwise 503.
async fn readyz(State(probes): State<Probes>) -> (StatusCode, &'static str) {
    if probes.drain.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match timeout(READY_TIMEOUT, probes.store.ready()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            let error = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(error, "readiness.store_failed");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store is not available\n",
            )
        }
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not respond\n",
        ),
    }
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
