//! The real services under the real layers, without a socket.

use std::sync::Arc;
use std::time::Duration;

use auth::Authenticator;
use domain::audit::AuditKey;
use messaging::StreamTiming;
use proto::sys::v1::sys_client::SysClient;
use proto::v1::conversations_client::ConversationsClient;
use proto::v1::messaging_client::MessagingClient;
use realtime::{Hub, POLL_INTERVAL};
use rpc::stack::{CallAudit, Config, ServiceName, Stack, stack};
use rpc::{InFlightLimits, Limiter, PseudonymKey, Revocations};
use storage::Store;
use storage_sql::Notify;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::service::{Interceptor, Routes};
use tonic::{GrpcMethod, Request, Status};

use crate::issuer::{ALL_SCOPES, APP, TestIssuer};
use crate::store::{AUDIT_SECRET, Fixture, Setup, TestStore};

/// Bytes of a request to `Messaging`, as configured by default.
const USER_REQUEST_BYTES: usize = 128 * 1024;
/// Bytes of a request to `Sys`, as configured by default.
const SYS_REQUEST_BYTES: usize = 1024 * 1024;
/// Maximum number of calls in flight, which no test reaches.
const CALLS_IN_FLIGHT: usize = 1000;

/// Deadline of a unary call: the longest that the service grants. By default it is five seconds,
/// which a busy machine may need.
const DEADLINE: Duration = Duration::from_secs(30);
/// Methods whose calls last longer than [`DEADLINE`].
const STREAMS: [&str; 2] = ["Subscribe", "SendToProfiles"];

/// Interval at which a replica reads quotas again, short for tests.
pub const QUOTAS_REREAD: Duration = Duration::from_millis(100);

/// A client of `Messaging`. Its calls go through the layers; clones are cheap.
pub type InProcessUser = MessagingClient<InterceptedService<Stack, Bearer>>;
/// A client of `Conversations`. Its calls go through the layers; clones are cheap.
pub type InProcessConversations = ConversationsClient<InterceptedService<Stack, Bearer>>;
/// A client of `Sys`. Its calls go through the layers; clones are cheap.
pub type InProcessApp = SysClient<InterceptedService<Stack, Bearer>>;

/// Both services over a store of one test.
pub struct TestService {
    /// The store, with its clock.
    pub store: TestStore,
    /// Services and layers of the replica.
    pub listeners: Listeners,
}

/// Services and layers of one replica.
#[derive(Clone)]
pub struct Listeners {
    /// The layers, `Messaging` and `Conversations`.
    pub messaging: Stack,
    /// The layers and `Sys`.
    pub sys: Stack,
}

impl Listeners {
    fn over(
        store: &Arc<dyn Store>,
        hub: &Arc<Hub>,
        timing: StreamTiming,
        authenticator: &Arc<Authenticator>,
    ) -> Self {
        let limiter = Limiter::over(store.clone(), QUOTAS_REREAD);
        let revocations = Revocations::in_store(store.clone(), &limiter);
        let config = |service| Config {
            service,
            authenticator: authenticator.clone(),
            revocations: revocations.clone(),
            limiter: limiter.clone(),
            request_bytes_max: match service {
                ServiceName::Messaging => USER_REQUEST_BYTES,
                ServiceName::Sys => SYS_REQUEST_BYTES,
            },
            pseudonym_key: PseudonymKey::new([7; 32]),
            audit: match service {
                ServiceName::Messaging => None,
                ServiceName::Sys => Some(CallAudit {
                    key: AuditKey::new(AUDIT_SECRET),
                    store: store.clone(),
                    reads: true,
                }),
            },
            limits_addresses: false,
            calls_in_flight_max: CALLS_IN_FLIGHT,
            in_flight: InFlightLimits::NONE,
        };
        let options = messaging::Options {
            max_request_bytes: USER_REQUEST_BYTES,
            timing,
            revocations: revocations.clone(),
        };
        let messaging =
            Routes::new(messaging::service(store.clone(), hub.clone(), options)).add_service(
                messaging::conversations::service(store.clone(), USER_REQUEST_BYTES),
            );
        let sys = Routes::new(sys::service(
            store.clone(),
            limiter.clone(),
            revocations.clone(),
            SYS_REQUEST_BYTES,
        ));
        Self {
            messaging: stack(config(ServiceName::Messaging), messaging.prepare()).expect("a stack"),
            sys: stack(config(ServiceName::Sys), sys.prepare()).expect("a stack"),
        }
    }

    /// `Messaging`, called with a token.
    #[must_use]
    pub fn user(&self, token: &str) -> InProcessUser {
        MessagingClient::with_interceptor(self.messaging.clone(), Bearer::new(token))
    }

    /// `Conversations`, called with a token.
    #[must_use]
    pub fn conversations(&self, token: &str) -> InProcessConversations {
        ConversationsClient::with_interceptor(self.messaging.clone(), Bearer::new(token))
    }

    /// `Sys`, called with a token.
    #[must_use]
    pub fn sys(&self, token: &str) -> InProcessApp {
        SysClient::with_interceptor(self.sys.clone(), Bearer::new(token))
    }
}

impl TestService {
    /// Puts the services over a store.
    pub async fn over(store: TestStore) -> Self {
        realtime::start_polling(&store.hub, store.store.clone(), POLL_INTERVAL);
        let authenticator = authenticator(&store).await;
        let hub = store.hub.clone();
        let listeners = Listeners::over(&store.store, &hub, unhurried(), &authenticator);
        Self { store, listeners }
    }

    /// A user of the app [`APP`].
    #[must_use]
    pub fn user(&self, profile: &str) -> InProcessUser {
        self.user_of(APP, profile)
    }

    /// A user of any app.
    #[must_use]
    pub fn user_of(&self, app: &str, profile: &str) -> InProcessUser {
        self.listeners
            .user(&TestIssuer::shared().user(app, profile, self.now_s()))
    }

    /// The conversations of a user of the app [`APP`].
    #[must_use]
    pub fn conversations(&self, profile: &str) -> InProcessConversations {
        self.conversations_of(APP, profile)
    }

    /// The conversations of a user of any app.
    #[must_use]
    pub fn conversations_of(&self, app: &str, profile: &str) -> InProcessConversations {
        self.listeners
            .conversations(&TestIssuer::shared().user(app, profile, self.now_s()))
    }

    /// The app [`APP`] itself, allowed everything.
    #[must_use]
    pub fn sys(&self) -> InProcessApp {
        self.sys_of(APP, ALL_SCOPES)
    }

    /// Any app, allowed these scopes.
    #[must_use]
    pub fn sys_of(&self, app: &str, scope: &str) -> InProcessApp {
        self.listeners
            .sys(&TestIssuer::shared().sys(app, scope, self.now_s()))
    }

    /// The services over the same store, with streams of another timing.
    pub async fn with_timing(&self, timing: StreamTiming) -> Listeners {
        let authenticator = authenticator(&self.store).await;
        let store = self.store.store.clone();
        Listeners::over(&store, &self.store.hub, timing, &authenticator)
    }

    /// The services over a second store on the same data: another replica. Closing its store
    /// is up to the test.
    pub async fn replica(&self) -> (Arc<dyn Store>, Listeners) {
        self.replica_that_hears(Notify::Database, POLL_INTERVAL)
            .await
    }

    /// A second replica with these notifications and this poll interval.
    pub async fn replica_that_hears(
        &self,
        notify: Notify,
        poll_every: Duration,
    ) -> (Arc<dyn Store>, Listeners) {
        let (store, _, listeners) = self.replica_with_hub(notify, poll_every).await;
        (store, listeners)
    }

    /// A second replica and its hub.
    pub async fn replica_with_hub(
        &self,
        notify: Notify,
        poll_every: Duration,
    ) -> (Arc<dyn Store>, Arc<Hub>, Listeners) {
        let hub = Hub::new();
        let store = self.store.replica_with(hub.clone(), notify).await;
        realtime::start_polling(&hub, store.clone(), poll_every);
        let authenticator = authenticator(&self.store).await;
        let listeners = Listeners::over(&store, &hub, unhurried(), &authenticator);
        (store, hub, listeners)
    }

    /// The time, as tokens have it.
    #[must_use]
    pub fn now_s(&self) -> i64 {
        self.store.clock.now_ms().0 / 1000
    }
}

impl Fixture for TestService {
    async fn open(setup: Setup) -> Self {
        Self::over(TestStore::that_tells(setup).await).await
    }

    fn into_store(self) -> TestStore {
        self.store
    }
}

/// Timings of streams under which a slow machine causes no heartbeat and cuts off no reader.
#[must_use]
pub fn unhurried() -> StreamTiming {
    StreamTiming {
        heartbeat: Duration::from_hours(1),
        slow_reader_timeout: Duration::from_hours(1),
        ..StreamTiming::default()
    }
}

async fn authenticator(store: &TestStore) -> Arc<Authenticator> {
    let issuers = vec![TestIssuer::shared().config()];
    Authenticator::start(issuers, store.clock.clone())
        .await
        .expect("an authenticator")
}

/// Puts a token into every call; an empty one stays away.
#[derive(Debug, Clone)]
pub struct Bearer(String);

impl Bearer {
    /// Calls with this token.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(token.to_owned())
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.0.is_empty() {
            let value = MetadataValue::try_from(format!("Bearer {}", self.0));
            request
                .metadata_mut()
                .insert("authorization", value.expect("an ASCII token"));
        }
        if !is_stream(&request) && !request.metadata().contains_key("grpc-timeout") {
            request.set_timeout(DEADLINE);
        }
        Ok(request)
    }
}

fn is_stream(request: &Request<()>) -> bool {
    let method = request.extensions().get::<GrpcMethod<'_>>();
    method.is_some_and(|method| STREAMS.contains(&method.method()))
}
