//! Connection to a service, with a token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use domain::{AppId, ProfileId};
use secrecy::{ExposeSecret as _, SecretString};
use storage::error_chain;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::config::Lifetime;
use crate::dev::{self, DataDir, DevKey, ScopeList, TokenKind};
use crate::failure::Failure;
use crate::protected_file;

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Deadline of a unary call.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
const TOKEN_HELP: &str = "File with the bearer token, instead of the variable POSTROOM_TOKEN";
/// Variable with a token.
const TOKEN_VARIABLE: &str = "POSTROOM_TOKEN";
/// Lifetime of a token that is created for one command.
const TOKEN_LIFETIME: &str = "5m";

/// Credentials, and the authority of the endpoint's certificate.
#[derive(Debug, Args)]
pub struct Credentials {
    #[arg(long, value_name = "FILE", help = TOKEN_HELP)]
    token_file: Option<PathBuf>,
    /// App id of a token that is created with the development key
    #[arg(long, default_value = dev::APP, value_parser = AppId::parse)]
    app: AppId,
    /// Development data directory, which contains the key
    #[arg(long, env = "POSTROOM_DATA_DIR", default_value = dev::DATA_DIR)]
    data_dir: PathBuf,
    /// PEM file of a CA to trust, beside the system's
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// Endpoint of `Messaging`, and the caller.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// Endpoint of the service
    #[arg(
        long,
        env = "POSTROOM_ENDPOINT",
        default_value = "http://127.0.0.1:7600"
    )]
    endpoint: String,
    /// Profile to call as, with a token that is created with the development key
    #[arg(long = "as", value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: Option<ProfileId>,
    #[command(flatten)]
    credentials: Credentials,
}

/// Endpoint of `Sys`. Without a token, one is created with the development key.
#[derive(Debug, Args)]
pub struct SysArgs {
    /// Endpoint of the service
    #[arg(
        long,
        env = "POSTROOM_SYS_ENDPOINT",
        default_value = "http://127.0.0.1:7601"
    )]
    endpoint: String,
    #[command(flatten)]
    credentials: Credentials,
}

/// Connection with a token.
pub struct Session {
    /// Channel to the service.
    pub channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl UserArgs {
    /// Returns whether each connection gets a new token.
    pub const fn mints_tokens(&self) -> bool {
        self.profile.is_some()
    }

    /// Connects as the profile of `--as`, or else with the token.
    ///
    /// # Errors
    /// If there is neither, or the endpoint cannot be reached.
    pub async fn connect(&self) -> Result<Session, Failure> {
        let token = match (&self.profile, self.credentials.token()?) {
            (Some(id), _) => {
                let kind = TokenKind::User {
                    id: id.clone(),
                    name: None,
                };
                self.credentials.mint(&kind)?
            }
            (None, Some(token)) => token,
            (None, None) => {
                let what =
                    "no caller given: use --as PROFILE, --token-file FILE, or POSTROOM_TOKEN";
                return Err(Failure::Usage(what.to_owned()));
            }
        };
        Session::open(&self.endpoint, self.credentials.ca.as_deref(), &token).await
    }
}

impl SysArgs {
    /// Connects with the token, or else with a new one that has all scopes.
    ///
    /// # Errors
    /// If the endpoint cannot be reached.
    pub async fn connect(&self) -> Result<Session, Failure> {
        let token = match self.credentials.token()? {
            Some(token) => token,
            None => self.credentials.mint(&TokenKind::Sys {
                id: None,
                scopes: ScopeList::default(),
            })?,
        };
        Session::open(&self.endpoint, self.credentials.ca.as_deref(), &token).await
    }
}

impl Credentials {
    /// Token of the file or the variable, if there is one.
    fn token(&self) -> Result<Option<SecretString>, Failure> {
        let Some(path) = &self.token_file else {
            return Ok(std::env::var(TOKEN_VARIABLE).ok().map(SecretString::from));
        };
        let token = protected_file::read_secret(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        Ok(Some(token.into()))
    }

    fn mint(&self, kind: &TokenKind) -> Result<SecretString, Failure> {
        let key = DevKey::open(&DataDir::open(&self.data_dir)?)?;
        let lifetime: Lifetime = TOKEN_LIFETIME.parse().context("a lifetime")?;
        Ok(key.mint(&self.app, kind, lifetime)?.into())
    }
}

impl Session {
    async fn open(
        endpoint: &str,
        ca: Option<&Path>,
        token: &SecretString,
    ) -> Result<Self, Failure> {
        let bearer = format!("Bearer {}", token.expose_secret().trim());
        let mut authorization: MetadataValue<Ascii> = bearer
            .parse()
            .map_err(|_| Failure::Usage("the token contains invalid characters".to_owned()))?;
        authorization.set_sensitive(true);
        let channel = parse_endpoint(endpoint, ca)?
            .connect()
            .await
            .map_err(|error| Failure::Unreachable {
                endpoint: endpoint.to_owned(),
                reason: error_chain(&error),
            })?;
        Ok(Self {
            channel,
            authorization,
        })
    }

    /// Request with the token and [`CALL_TIMEOUT`].
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = self.streaming_request(message);
        request.set_timeout(CALL_TIMEOUT);
        request
    }

    /// Request with the token and no deadline, for streams.
    pub fn streaming_request<T>(&self, message: T) -> tonic::Request<T> {
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
            "{text:?} is not a valid endpoint such as http://127.0.0.1:7600: {error}"
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
