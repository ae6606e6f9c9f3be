//! A server that answers from memory: tonic alone, or tonic within Postroom's layers.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Context as _;
use auth::{Authenticator, Jwks};
use domain::limits::{QUOTA_BURST_MAX, QUOTA_PER_SECOND_MAX};
use domain::{Quotas, Rate};
use futures::future::{BoxFuture, Ready, ready};
use futures::stream;
use prost_types::Timestamp;
use proto::v1::{SendMessageRequest, SendMessageResponse};
use rpc::stack::{Config, ServiceName, stack};
use rpc::{InFlightLimits, Limiter, PseudonymKey, Revocations};
use storage_sql::SystemClock;
use support::issuer::TestIssuer;
use support::process::OutputLines;
use support::temp_folder::TempFolder;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;
use uuid::Uuid;

use crate::site::keys::{self, JWKS};

/// Maximum number of calls in flight: the service's default.
const CALLS_IN_FLIGHT_MAX: usize = 2000;
const REQUEST_BYTES_MAX: usize = 128 * 1024;
const SEND_MESSAGE: &str = "/postroom.v1.Messaging/SendMessage";

/// Serve from memory, until standard input ends
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JWKS file that the layers trust; without it there are no layers
    #[arg(long)]
    layers: Option<PathBuf>,
}

/// Serves, and prints the address.
///
/// # Errors
/// If it cannot.
pub async fn serve(args: &Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let connections = stream::unfold(listener, async |listener| {
        let connection = listener.accept().await.and_then(|(connection, _)| {
            connection.set_nodelay(true)?;
            Ok(connection)
        });
        Some((connection, listener))
    });
    let mut server = Server::builder();
    let Some(folder) = &args.layers else {
        let router = server.add_service(MessagingNamed(Memory));
        return Ok(router
            .serve_with_incoming_shutdown(connections, input_end())
            .await?);
    };
    let _telemetry = telemetry::start(&telemetry::Options::default())?;
    let config = Config {
        service: ServiceName::Messaging,
        authenticator: authenticator(folder).await?,
        revocations: Revocations::none(),
        limiter: Limiter::fixed(quotas()),
        request_bytes_max: REQUEST_BYTES_MAX,
        pseudonym_key: PseudonymKey::new([7; 32]),
        limits_addresses: false,
        audit: None,
        calls_in_flight_max: CALLS_IN_FLIGHT_MAX,
        in_flight: InFlightLimits::NONE,
    };
    let router = server.add_service(MessagingNamed(stack(config, Memory)?));
    Ok(router
        .serve_with_incoming_shutdown(connections, input_end())
        .await?)
}

/// Quotas that no call reaches, so that calls are counted and none is refused.
const fn quotas() -> Quotas {
    let rate = Rate {
        per_second: QUOTA_PER_SECOND_MAX,
        burst: QUOTA_BURST_MAX,
    };
    Quotas {
        profile_calls: rate,
        profile_sends: rate,
        app_calls: rate,
        ..Quotas::NO_LIMITS
    }
}

async fn authenticator(folder: &Path) -> anyhow::Result<Arc<Authenticator>> {
    let mut issuer = TestIssuer::shared().config();
    issuer.jwks = Jwks::File(folder.join(JWKS));
    Ok(Authenticator::start(vec![issuer], Arc::new(SystemClock)).await?)
}

/// Standard input ends with the process that started this one.
async fn input_end() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        let _ = std::io::stdin().read(&mut byte);
        let _ = ended.send(());
    });
    let _ = end.await;
}

/// A bare server in a process of its own, which ends with this value.
pub struct Bare {
    process: Child,
    _folder: TempFolder,
    /// Address of the server.
    pub address: SocketAddr,
}

impl Bare {
    /// Starts it, with or without layers.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(with_layers: bool) -> anyhow::Result<Self> {
        let folder = TempFolder::new();
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare");
        if with_layers {
            keys::publish(folder.path())?;
            command.arg("--layers").arg(folder.path());
        }
        // The log goes to a file, as the service's does.
        let log = std::fs::File::create(folder.join("log"))?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = command.spawn()?;
        let said = OutputLines::of(process.stdout.take().context("an output")?);
        let address = said.wait_for(|line| line.parse().ok());
        Ok(Self {
            process,
            _folder: folder,
            address: address.context("an address")?,
        })
    }

    /// Process id.
    pub fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers `SendMessage` as the service would, and everything else with nothing.
#[derive(Debug, Clone, Copy)]
struct Memory;

impl Service<http::Request<Body>> for Memory {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(if call.uri().path() == SEND_MESSAGE {
                Grpc::new(ProstCodec::default()).unary(Memory, call).await
            } else {
                Grpc::new(ProstCodec::default()).unary(Nothing, call).await
            })
        })
    }
}

impl UnaryService<SendMessageRequest> for Memory {
    type Response = SendMessageResponse;
    type Future = Ready<Result<Response<SendMessageResponse>, Status>>;

    fn call(&mut self, _: Request<SendMessageRequest>) -> Self::Future {
        let time = Timestamp {
            seconds: 1_700_000_000,
            nanos: 123_000_000,
        };
        ready(Ok(Response::new(SendMessageResponse {
            message_id: Uuid::max().to_string(),
            requested: 1,
            actual: 1,
            send_time: Some(time),
            expire_time: Some(time),
        })))
    }
}

struct Nothing;

impl UnaryService<()> for Nothing {
    type Response = ();
    type Future = Ready<Result<Response<()>, Status>>;

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

/// A service under the name of `Messaging`.
#[derive(Clone)]
struct MessagingNamed<S>(S);

impl<S> NamedService for MessagingNamed<S> {
    const NAME: &'static str = "postroom.v1.Messaging";
}

impl<S: Service<http::Request<Body>>> Service<http::Request<Body>> for MessagingNamed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, call: http::Request<Body>) -> S::Future {
        self.0.call(call)
    }
}
