//! Explanation of a token: its contents, whether it is accepted, and why not.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use auth::{Authenticated, Authenticator, Error, Identity, Scope};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use storage_sql::SystemClock;

use crate::client::escape;
use crate::commands::config_args::variables;
use crate::config::{Config, Sources};
use crate::dev::{self, DataDir, DevKey};
use crate::failure::Failure;
use crate::output::print_line;

/// Explains a token; `-` reads it from standard input.
///
/// # Errors
/// If the configuration is invalid, or the token is refused.
pub async fn run(token: &str, config: Option<&Path>, data_dir: &Path) -> Result<(), Failure> {
    let token = read(token)?;
    let config = load(config, data_dir)?;
    let authenticator = Authenticator::start(config.issuer, Arc::new(SystemClock));
    let authenticator = authenticator.await.map_err(anyhow::Error::from)?;
    for (name, part) in ["header", "claims"].into_iter().zip(token.split('.')) {
        print_line(format_args!("{name} {}", shown(part)))?;
    }
    match authenticator.authenticate(&headers(&token)?, None).await {
        Ok(authenticated) => {
            print_line(format_args!(
                "accepted: {}",
                escape(&described(&authenticated))
            ))?;
            Ok(())
        }
        Err(error) => Err(refusal(&authenticator, &token, error)),
    }
}

fn read(token: &str) -> Result<String, Failure> {
    let mut text = token.to_owned();
    if token == "-" {
        text.clear();
        let read = std::io::stdin().read_to_string(&mut text);
        read.context("standard input")?;
    }
    let text = text.trim();
    Ok(text.strip_prefix("Bearer ").unwrap_or(text).to_owned())
}

/// Loads the issuers of the configuration, and that of the development key if there is one.
fn load(file: Option<&Path>, data_dir: &Path) -> Result<Config, Failure> {
    let sources = Sources {
        file,
        variables: variables(),
        ..Sources::default()
    };
    let mut config = sources.load()?;
    let data = DataDir::open(data_dir);
    if let Some(data) = data.ok().filter(|data| DevKey::open(data).is_ok()) {
        config.issuer.push(dev::issuer(&data));
    }
    if config.issuer.is_empty() {
        let what = "no [[issuer]] is configured, and there is no development key: use --config";
        return Err(Failure::Usage(what.to_owned()));
    }
    Ok(config)
}

fn headers(token: &str) -> Result<HeaderMap, Failure> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let value = value.map_err(|_| Failure::Usage("the token is no text of one line".to_owned()))?;
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// Returns a part of a token as JSON.
fn shown(part: &str) -> String {
    let decoded = URL_SAFE_NO_PAD.decode(part).ok();
    let text = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
    text.map_or_else(
        || "is no base64url of a text".to_owned(),
        |text| escape(&text),
    )
}

fn described(authenticated: &Authenticated) -> String {
    let Authenticated {
        identity,
        signer,
        expires_in,
        issued_at: _,
    } = authenticated;
    let caller = match identity {
        Identity::User(user) => {
            format!("Messaging, profile {} of app {}", user.profile, user.app)
        }
        Identity::NoProfile(app) => format!("no profile of app {app}, so no method takes it"),
        Identity::System(system) => {
            let scopes = Scope::ALL.into_iter();
            let scopes = scopes.filter(|scope| system.scopes.contains(*scope));
            let scopes: Vec<_> = scopes.map(Scope::as_str).collect();
            format!("Sys, app {}, scopes: {}", system.app, scopes.join(" "))
        }
    };
    let seconds = expires_in.as_secs();
    format!("{caller}; by {}, for {seconds} more seconds", signer.iss)
}

fn refusal(authenticator: &Authenticator, token: &str, error: Error) -> Failure {
    let Error::Invalid(reason) = error else {
        return anyhow!("refused: {error}").into();
    };
    let explanation = authenticator.explain(token, reason);
    let explanation = explanation.map(|text| format!("; {text}"));
    anyhow!(
        "refused: {reason}{}",
        escape(&explanation.unwrap_or_default())
    )
    .into()
}
