//! What answers the calls of each listener: the service, health and reflection, under the
//! layers that all calls go through.

use std::sync::Arc;

use realtime::Hub;
use rpc::Limiter;
use rpc::limits::QUOTAS_REREAD;
use rpc::stack::{self, Listener, stack};
use storage::Store;
use tonic::service::{Routes, RoutesBuilder};
use tower::util::BoxCloneSyncService;

use super::calls::Answerer;
use super::plan::Plan;
use super::services::{Health, add_health, add_reflection};

/// One for each listener.
pub struct Answerers {
    pub user: Answering,
    pub sys: Answering,
}

/// What answers, and what it says about itself.
pub struct Answering {
    pub answerer: Answerer,
    pub health: Health,
}

impl Answerers {
    /// Puts the services over the store, and the layers around them.
    ///
    /// # Errors
    /// If it is not settled for every method who may call it.
    pub async fn build(
        plan: &Plan,
        store: &Arc<dyn Store>,
        hub: &Arc<Hub>,
    ) -> anyhow::Result<Self> {
        let limits = &plan.config.limits;
        // One for both: what users and the app send counts together.
        let limiter = Limiter::over(store.clone(), QUOTAS_REREAD);
        let mut user = Routes::builder();
        user.add_service(messaging::service(
            store.clone(),
            hub.clone(),
            messaging::Options {
                max_request_bytes: limits.user_request_bytes.size(),
                pace: messaging::Pace::default(),
            },
        ));
        let mut sys = Routes::builder();
        sys.add_service(sys::service(
            store.clone(),
            limiter.clone(),
            limits.sys_request_bytes.size(),
        ));
        Ok(Self {
            user: Answering::build(plan, &limiter, Listener::Messaging, user).await?,
            sys: Answering::build(plan, &limiter, Listener::Sys, sys).await?,
        })
    }
}

impl Answering {
    async fn build(
        plan: &Plan,
        limiter: &Arc<Limiter>,
        listener: Listener,
        mut routes: RoutesBuilder,
    ) -> anyhow::Result<Self> {
        let (service, descriptor_set) = match listener {
            Listener::Messaging => ("postroom.v1.Messaging", proto::MESSAGING_DESCRIPTOR_SET),
            Listener::Sys => ("postroom.sys.v1.Sys", proto::SYS_DESCRIPTOR_SET),
        };
        let health = add_health(&mut routes, service).await;
        if plan.config.grpc.reflection {
            add_reflection(&mut routes, descriptor_set)?;
        }
        let config = stack::Config {
            listener,
            authenticator: plan.authenticator.clone(),
            limiter: limiter.clone(),
            calls_in_flight_max: plan.config.limits.calls_in_flight.size(),
        };
        let answerer = BoxCloneSyncService::new(stack(config, routes.routes().prepare())?);
        Ok(Self { answerer, health })
    }
}
