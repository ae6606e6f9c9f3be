//! The app's settings: what it overrides, and what is in force.

use proto::sys::v1::{GetAppSettingsRequest, GetAppSettingsResponse};
use rpc::{RpcError, System};
use storage::MailStore;
use tonic::Request;

use crate::settings;

pub async fn handle(
    store: &dyn MailStore,
    request: Request<GetAppSettingsRequest>,
) -> Result<GetAppSettingsResponse, RpcError> {
    let system = System::of(&request)?;
    let overrides = store.settings(system.app()).await?;
    let policy = store.policy(&overrides);
    Ok(GetAppSettingsResponse {
        settings: Some(settings::overrides(&overrides)),
        effective: Some(settings::effective(overrides.version, &policy)),
    })
}
