//! The gRPC services of both listeners: `Messaging` and `Conversations`, or `Sys`, health and
//! reflection, under the layers that all calls pass.

use std::sync::Arc;

use realtime::Hub;
use rpc::limits::QUOTAS_REREAD;
use rpc::stack::{self, CallAudit, ServiceName, stack};
use rpc::{Limiter, Revocations};
use storage::Store;
use tonic::service::{Routes, RoutesBuilder};
use tower::util::BoxCloneSyncService;

use super::health::{Health, add_health};
use super::http2::GrpcService;
use super::prepared_config::PreparedConfig;
use super::reflection::add_reflection;

/// Services of both listeners.
pub struct GrpcServices {
    pub user: ListenerServices,
    pub sys: ListenerServices,
}

/// Services of one listener, and the handle of their health status.
pub struct ListenerServices {
    pub service: GrpcService,
    pub health: Health,
}

impl GrpcServices {
    /// Builds the services over the store, and the layers around them.
    ///
    /// # Errors
    /// If the table of methods does not match the descriptors.
    pub fn build(
        prepared: &PreparedConfig,
        store: &Arc<dyn Store>,
        hub: &Arc<Hub>,
    ) -> anyhow::Result<Self> {
        let limits = &prepared.config.limits;
        let pseudonym_key = prepared.config.log.pseudonym_key();
        // Shared: an app's quota counts the sends of its users and of the app itself.
        let limiter = Limiter::over(store.clone(), QUOTAS_REREAD);
        let revocations = Revocations::in_store(store.clone(), &limiter);
        let audit = prepared.config.audit.key().map(|key| CallAudit {
            key,
            store: store.clone(),
            reads: prepared.config.audit.reads,
        });
        let config = |service| stack::Config {
            service,
            authenticator: prepared.authenticator.clone(),
            revocations: revocations.clone(),
            limiter: limiter.clone(),
            pseudonym_key,
            audit: match service {
                ServiceName::Messaging => None,
                ServiceName::Sys => audit.clone(),
            },
            limits_addresses: limits.connections_per_address.get() > 0,
            request_bytes_max: match service {
                ServiceName::Messaging => limits.user_request_bytes.size(),
                ServiceName::Sys => limits.sys_request_bytes.size(),
            },
            calls_in_flight_max: limits.calls_in_flight.size(),
            in_flight: limits.in_flight(),
        };
        let mut user = Routes::builder();
        user.add_service(messaging::service(
            store.clone(),
            hub.clone(),
            messaging::Options {
                max_request_bytes: limits.user_request_bytes.size(),
                timing: messaging::StreamTiming::default(),
                revocations: revocations.clone(),
            },
        ));
        user.add_service(messaging::conversations::service(
            store.clone(),
            limits.user_request_bytes.size(),
        ));
        let mut sys = Routes::builder();
        sys.add_service(sys::service(
            store.clone(),
            limiter.clone(),
            revocations.clone(),
            limits.sys_request_bytes.size(),
        ));
        Ok(Self {
            user: ListenerServices::build(prepared, config(ServiceName::Messaging), user)?,
            sys: ListenerServices::build(prepared, config(ServiceName::Sys), sys)?,
        })
    }
}

impl ListenerServices {
    fn build(
        prepared: &PreparedConfig,
        config: stack::Config,
        mut routes: RoutesBuilder,
    ) -> anyhow::Result<Self> {
        let (services, descriptor_set): (&[&str], _) = match config.service {
            ServiceName::Messaging => (
                &["postroom.v1.Messaging", "postroom.v1.Conversations"],
                proto::MESSAGING_DESCRIPTOR_SET,
            ),
            ServiceName::Sys => (&["postroom.sys.v1.Sys"], proto::SYS_DESCRIPTOR_SET),
        };
        let health = add_health(&mut routes, services);
        if prepared.config.grpc.reflection {
            add_reflection(&mut routes, descriptor_set)?;
        }
        let service = BoxCloneSyncService::new(stack(config, routes.routes().prepare())?);
        Ok(Self { service, health })
    }
}
