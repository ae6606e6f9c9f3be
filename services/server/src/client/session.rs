//! Reaching a service, with a token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use domain::{AppId, ProfileId};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::config::Lifetime;
use crate::dev::{self, Caller, DataDir, DevKey, Scopes};
use crate::failure::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a token lives that is made for one command.
const TOKEN_MINUTES: &str = "5m";

/// How the service is reached.
#[derive(Debug, Args)]
pub struct Reach {
    /// A token
    #[arg(long, env = "POSTROOM_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The app, where the token is made with the development key
    #[arg(long, default_value = dev::APP, value_parser = AppId::parse)]
    app: AppId,
    /// Where the development key is
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR)]
    data_dir: PathBuf,
    /// A PEM file with the authority to trust, beside the system's
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// How `Messaging` is reached, and as whom.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// Where the service is
    #[arg(
        long,
        env = "POSTROOM_ENDPOINT",
        default_value = "http://127.0.0.1:7600"
    )]
    endpoint: String,
    /// Call as this profile, with a token made with the development key
    #[arg(long = "as", value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: Option<ProfileId>,
    #[command(flatten)]
    reach: Reach,
}

/// How `Sys` is reached. Without a token, one is made with the development key.
#[derive(Debug, Args)]
pub struct SysArgs {
    /// Where the service is
    #[arg(
        long,
        env = "POSTROOM_SYS_ENDPOINT",
        default_value = "http://127.0.0.1:7601"
    )]
    endpoint: String,
    #[command(flatten)]
    reach: Reach,
}

/// A connection with the token to use on it.
pub struct Session {
    /// The connection.
    pub channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl UserArgs {
    /// Whether each connection gets a token of its own.
    pub const fn mints_tokens(&self) -> bool {
        self.profile.is_some()
    }

    /// Connects, as `--as` says or else with the token.
    pub async fn connect(&self) -> Result<Session, Failure> {
        let token = match (&self.profile, &self.reach.token) {
            (Some(id), _) => {
                let caller = Caller::User {
                    id: id.clone(),
                    name: None,
                };
                self.reach.mint(&caller)?
            }
            (None, Some(token)) => token.clone(),
            (None, None) => {
                let what = "who calls? Give --as PROFILE, --token, or POSTROOM_TOKEN";
                return Err(Failure::Usage(what.to_owned()));
            }
        };
        Session::open(&self.endpoint, self.reach.ca.as_deref(), &token).await
    }
}

impl SysArgs {
    /// Connects, with the token or else with one that may do everything.
    pub async fn connect(&self) -> Result<Session, Failure> {
        let token = match &self.reach.token {
            Some(token) => token.clone(),
            None => self.reach.mint(&Caller::Sys {
                id: None,
                scopes: Scopes::default(),
            })?,
        };
        Session::open(&self.endpoint, self.reach.ca.as_deref(), &token).await
    }
}

impl Reach {
    fn mint(&self, caller: &Caller) -> Result<String, Failure> {
        let key = DevKey::open(&DataDir::open(&self.data_dir)?)?;
        let lifetime: Lifetime = TOKEN_MINUTES.parse().context("a lifetime")?;
        Ok(key.mint(&self.app, caller, lifetime)?)
    }
}

impl Session {
    async fn open(endpoint: &str, ca: Option<&Path>, token: &str) -> Result<Self, Failure> {
        let bearer = format!("Bearer {}", token.trim());
        let authorization = bearer
            .parse()
            .map_err(|_| Failure::Usage("the token has characters that none has".to_owned()))?;
        let channel = parse_endpoint(endpoint, ca)?
            .connect()
            .await
            .map_err(|error| {
                let reason = format!("{:#}", anyhow::Error::from(error));
                Failure::Unreachable {
                    endpoint: endpoint.to_owned(),
                    reason,
                }
            })?;
        Ok(Self {
            channel,
            authorization,
        })
    }

    /// A request with the token, and a deadline.
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = self.endless(message);
        request.set_timeout(CALL_TIMEOUT);
        request
    }

    /// A request with the token whose answer goes on for as long as it is wanted.
    pub fn endless<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        request
    }
}

fn parse_endpoint(text: &str, ca: Option<&Path>) -> Result<Endpoint, Failure> {
    let usage = |error: tonic::transport::Error| {
        Failure::Usage(format!(
            "{text:?} is no endpoint such as http://127.0.0.1:7600: {error}"
        ))
    };
    let endpoint = Endpoint::from_shared(text.to_owned()).map_err(usage)?;
    let endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT);
    if !text.starts_with("https://") {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new().with_native_roots();
    if let Some(path) = ca {
        let pem = std::fs::read(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    endpoint.tls_config(tls).map_err(usage)
}
